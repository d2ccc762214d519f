import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { runCli, type Host } from './cli';
import { wantsColor } from './output/screen';

const { stdin, stdout, stderr, env } = process;
const abort = new AbortController();

const host: Host = {
  out: (line) => void stdout.write(`${line}\n`),
  err: (line) => void stderr.write(`${line}\n`),
  screen: {
    isTty: stdout.isTTY,
    color: wantsColor(stdout.isTTY && stderr.isTTY, env),
    get columns() {
      return stdout.isTTY ? stdout.columns : undefined;
    },
    get rows() {
      return stdout.isTTY ? stdout.rows : undefined;
    },
    write: (text) => void stdout.write(text),
  },
  progress: stderr.isTTY ? (line) => void stderr.write(`\r\u001b[K${line}`) : undefined,
  async input() {
    if (stdin.isTTY) return undefined;
    stdin.setEncoding('utf8');
    let text = '';
    for await (const chunk of stdin) text += String(chunk);
    return text;
  },
  ask:
    stdin.isTTY && stderr.isTTY
      ? async (question) => (await import('./output/terminal')).ask(question, stdin, stderr, abort.signal)
      : undefined,
  files: {
    read: async (path) => (await import('node:fs/promises')).readFile(path, 'utf8'),
    async write(path, text) {
      const { mkdir, writeFile } = await import('node:fs/promises');
      const { dirname } = await import('node:path');
      await mkdir(dirname(path), { recursive: true });
      await writeFile(path, text);
    },
    async *open(path) {
      yield* (await import('@tinkerbell/event-store/audit')).readUnpacked(path);
    },
    create: async (path, options) => (await import('./log-files')).createWhole(path, options),
  },
  now: Date.now,
  signal: abort.signal,
  // The all-in-one process is built beside this bundle: dist/apps/{tink-cli,tinkerbell}/main.js.
  provisioner: async (args) =>
    (await import('./provisioner')).runProvisioner(join(__dirname, '..', 'tinkerbell', 'main.js'), args),
  around: {
    env,
    cwd: process.cwd(),
    home: homedir(),
    read(path) {
      try {
        return readFileSync(path, 'utf8');
      } catch {
        return undefined;
      }
    },
  },
};

// The reader has gone (`tink … | head`): nobody is left to write for.
stdout.on('error', (error: NodeJS.ErrnoException) => process.exit(error.code === 'EPIPE' ? 0 : 1));

let interruptions = 0;
const interrupt = () => {
  if (++interruptions > 1) process.exit(130);
  abort.abort();
  // Nothing that we do needs longer to end, but somebody may be waiting for standard input.
  setTimeout(() => process.exit(130), 1_000).unref();
};
process.on('SIGINT', interrupt).on('SIGTERM', interrupt);

void runCli(process.argv.slice(2), host).then((code) => {
  process.exitCode = code;
});
