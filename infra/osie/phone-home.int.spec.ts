import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

const busybox = '/bin/busybox';
const init = readFileSync('infra/osie/files/osie-init', 'utf8');
const keepPhoningHome = /^keep_phoning_home\(\) \{$.*?^\}$/ms.exec(init)?.[0] ?? '';

/** What it does, written down. */
const script = (fails: number) => `say() { :; }
sleep() { echo "sleep $1"; }
calls=0
phone_home() { calls=$((calls + 1)); echo call; [ $calls -gt ${fails} ]; }
${keepPhoningHome}
keep_phoning_home
echo "over after $calls"
`;

it.skipIf(!existsSync(busybox))(
  `a machine calls boots until it answers${existsSync(busybox) ? '' : ` (${busybox})`}`,
  () => {
    const said = execFileSync(busybox, ['sh', '-c', script(20)], { encoding: 'utf8' })
      .trim()
      .split('\n');
    const pauses = said.flatMap((line) => (line.startsWith('sleep ') ? [Number(line.slice(6))] : []));
    expect(pauses.slice(0, 8)).toEqual([1, 2, 4, 8, 16, 32, 60, 60]);
    expect(pauses).toHaveLength(21);
    expect(said.at(-1)).toBe('over after 21');
  },
);
