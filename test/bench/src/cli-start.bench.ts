import { spawnSync } from 'node:child_process';
import { figure, quantile, type Bench } from './bench';

const runs = 20;

function times(args: readonly string[]): number[] {
  return Array.from({ length: runs }, () => {
    const began = process.hrtime.bigint();
    const { status, stderr } = spawnSync(process.execPath, [...args], { encoding: 'utf8' });
    if (status !== 0) throw new Error(`node ${args.join(' ')}: ${stderr}`);
    return Number(process.hrtime.bigint() - began) / 1e6;
  });
}

/** Start of the CLI against an empty Node program: what Node itself costs is the limit. */
export const cliStart: Bench = {
  name: 'cli-start',
  about: 'tink --help as a whole process, median of 20, against `node -e 0`',
  async run() {
    const empty = times(['-e', '0']);
    const help = times(['dist/apps/tink-cli/main.js', '--help']);
    return [
      figure('cli-start p50', quantile(help, 0.5), quantile(empty, 0.5), 'ms'),
      figure('cli-start p95', quantile(help, 0.95), quantile(empty, 0.95), 'ms'),
    ];
  },
};
