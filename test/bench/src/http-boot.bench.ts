import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Bench, pairedFigure } from './bench';
import { inTurns, measured, megabytes, openField, type Run, untilServed } from './network-load';

const fileBytes = 200 << 20;
const clients = 50;
const rounds = Number(process.env['BENCH_ROUNDS'] ?? 5);
const nginxPort = 16_980;

const nginxSettings = (folder: string) => `daemon off;
worker_processes auto;
pid ${folder}/nginx.pid;
error_log ${folder}/nginx.log;
events { worker_connections 1024; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  ${['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path ${folder}/${kind};`).join('\n  ')}
  server { listen 127.0.0.1:${nginxPort}; root ${folder}; }
}
`;

export const httpBoot: Bench = {
  name: 'http-boot',
  about: `an initrd of 200 MiB to ${clients} clients by HTTP, against nginx with sendfile`,
  async run(progress) {
    const field = await openField();
    try {
      await field.file('initrd', fileBytes);
      const load = await field.generator('http');
      const settings = join(field.folder, 'nginx.conf');
      await writeFile(settings, nginxSettings(field.folder));
      const peer = field.start('nginx', ['-c', settings]);
      const { http, program } = await field.startBoots({ BOOTS_IPXE_DIR: field.folder, BOOTS_OSIE_DIR: field.folder });
      const nginx = (count: number) => load('127.0.0.1', nginxPort, '/initrd', count);
      const ours = (count: number) => load('127.0.0.1', http, '/osie/initrd', count);
      await untilServed(() => nginx(1));
      await untilServed(() => ours(1));
      const contests: Readonly<Record<'nginx' | 'ours', Run>>[] = [];
      for (let round = 0; round < rounds; round++) {
        const contest = await inTurns(round, {
          nginx: () => measured(peer, () => nginx(clients)),
          ours: () => measured(program, () => ours(clients)),
        });
        contests.push(contest);
        progress(
          `round ${round}: ours ${megabytes(contest.ours).toFixed(0)}, nginx ${megabytes(contest.nginx).toFixed(0)} MB/s`,
        );
      }
      const pairs = contests.map((contest) => ({ ours: megabytes(contest.ours), limit: megabytes(contest.nginx) }));
      const made = pairedFigure('http-boot', pairs, 'MB/s');
      const failed = contests.reduce((sum, { ours: run }) => sum + run.failed, 0);
      const busy = (who: 'nginx' | 'ours') =>
        `${Math.round(Math.max(...contests.map(({ [who]: run }) => run.cpuSeconds / run.seconds)) * 100)} %`;
      const note = `${made.note}; ${failed} failed; load generator ${busy('ours')} of a core, ${busy('nginx')} for nginx`;
      const cost = ({ serverSeconds = Number.NaN, cpuSeconds, bytes }: Run) =>
        (serverSeconds + cpuSeconds) / (bytes / 1e9);
      const costs = contests.map((contest) => ({ ours: cost(contest.ours), limit: cost(contest.nginx) }));
      return [{ ...made, note }, pairedFigure('http-boot CPU', costs, 's/GB, server and clients')];
    } finally {
      await field.close();
    }
  },
};
