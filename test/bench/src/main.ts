import { cpus, release, totalmem } from 'node:os';
import { append, appendSeq } from './append.bench';
import { query } from './query.bench';
import { replay } from './replay.bench';
import { cliStart } from './cli-start.bench';
import type { Bench } from './bench';
import { dhcp } from './dhcp.bench';
import { dhcpBootStorm } from './dhcp-boot-storm.bench';
import { dhcpScale } from './dhcp-scale.bench';
import { dhcp6Start } from './dhcp6-start.bench';
import { explain } from './explain.bench';
import { history } from './history.bench';
import { httpBoot } from './http-boot.bench';
import { tftp } from './tftp.bench';
import { workflows } from './workflows/workflows.bench';

const benches: readonly Bench[] = [
  ...[append, appendSeq, replay, query, cliStart, explain, history],
  ...[workflows, tftp, httpBoot, dhcp, dhcpBootStorm, dhcpScale, dhcp6Start],
];

function usage(): string {
  const rows = benches.map(({ name, about }) => `  ${name.padEnd(14)} ${about}`);
  return ['npm run bench -- <name> [--json]', '', ...rows].join('\n');
}

function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model.trim() ?? 'unknown CPU'}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, Linux ${release()}, Node ${process.version}`;
}

async function main(args: readonly string[]): Promise<number> {
  const json = args.includes('--json');
  const [name] = args.filter((arg) => !arg.startsWith('-'));
  const bench = benches.find((candidate) => candidate.name === name);
  if (!bench) {
    console.error(name ? `no bench named ${name}\n\n${usage()}` : usage());
    return 2;
  }
  const say = (text: string) => !json && console.log(text);
  say(`${bench.name}: ${bench.about}\nmachine: ${machine()}\ncommand: npm run bench -- ${bench.name}\n`);
  for (const result of await bench.run(say)) {
    if (json) console.log(JSON.stringify(result));
    else {
      const { name: what, ours, limit, ratio, unit, note = '' } = result;
      console.log(`${what.padEnd(24)} ours ${ours} ${unit}   limit ${limit} ${unit}   ratio ${ratio}   ${note}`);
    }
  }
  return 0;
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
