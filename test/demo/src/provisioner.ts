import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Lab } from '../../pxe-vm/lab';
import { run, start, stop } from '../../pxe-vm/run';

/** What `tinkerbell up --json` prints when everything answers. */
export interface Ready {
  readonly ready: true;
  readonly server: string;
  readonly dashboard: string;
  readonly cliConfig: string;
  readonly registry: string;
  readonly http: string;
  readonly hegel: string;
}

/** The provisioner inside the lab, reachable from the host's loopback. */
export interface Provisioner {
  readonly ready: Ready;
  /** On the host's loopback. */
  readonly dashboardUrl: string;
  /** cli.json for the host's side. */
  readonly cliConfig: string;
  /** Runs `tink` on the host's side; rejects with its stderr when it fails. */
  tink(...args: readonly string[]): Promise<string>;
  /** Starts `tink` and hands over its output line by line. */
  follow(args: readonly string[], onLine: (line: string) => void): ChildProcess;
  readonly process: ChildProcess;
  /** Kills the provisioner the hard way (SIGKILL), for tests of its recovery. */
  kill(): Promise<void>;
  close(): Promise<void>;
}

export interface ProvisionerOptions {
  /** Scratch folder. */
  readonly dir: string;
  readonly dataDir: string;
  readonly args?: readonly string[];
  /** Settings of single services, by their own names. */
  readonly env?: Readonly<Record<string, string>>;
  readonly onLog?: (line: string) => void;
}

const cliBundle = 'dist/apps/tink-cli/main.js';
const forwardBundle = 'dist/test/demo/forward.js';

export async function startProvisioner(lab: Lab, options: ProvisionerOptions): Promise<Provisioner> {
  const { dir, dataDir, args = [], env = {}, onLog = () => undefined } = options;
  const [enter = '', ...enterArgs] = lab.enter;
  const inLab = (...command: readonly string[]) =>
    start(enter, [...enterArgs, process.execPath, ...command], { env: { ...process.env, ...env } });

  const up = [
    'up',
    '--json',
    '--data',
    dataDir,
    '--ip',
    lab.address,
    '--interface',
    lab.bridge,
    '--router-advertisements',
  ];
  const child = inLab('dist/apps/tinkerbell/main.js', ...up, ...args);
  const children: ChildProcess[] = [child];
  const close = async () => {
    for (const each of children.reverse()) await stop(each, 15_000);
  };
  try {
    const ready = await readReady(child, onLog);
    /** host loopback port ⇄ Unix socket ⇄ address inside the lab */
    const expose = async (name: string, to: string) => {
      const socket = join(dir, `${name}.sock`);
      const inner = inLab(forwardBundle, socket, to);
      children.push(inner);
      await firstLine(inner);
      const outer = start(process.execPath, [forwardBundle, '127.0.0.1:0', socket]);
      children.push(outer);
      return Number(await firstLine(outer));
    };
    const dashboardPort = await expose('dashboard', new URL(ready.dashboard).host);
    const serverPort = await expose('server', new URL(ready.server).host);
    const cliConfig = join(dir, 'cli.json');
    const settings = JSON.parse(await readFile(ready.cliConfig, 'utf8')) as Record<string, unknown>;
    await writeFile(cliConfig, JSON.stringify({ ...settings, server: `https://127.0.0.1:${serverPort}` }), {
      mode: 0o600,
    });
    return {
      ready,
      cliConfig,
      dashboardUrl: `http://127.0.0.1:${dashboardPort}/`,
      process: child,
      tink: (...command) => run('env', `TINK_CONFIG=${cliConfig}`, process.execPath, cliBundle, ...command),
      follow(command, onLine) {
        const follower = start(process.execPath, [cliBundle, ...command], {
          env: { ...process.env, TINK_CONFIG: cliConfig },
        });
        children.push(follower);
        if (follower.stdout) createInterface({ input: follower.stdout }).on('line', onLine);
        follower.stderr?.on('data', (chunk: Buffer) => onLog(`tink ${command.join(' ')}: ${chunk.toString().trim()}`));
        return follower;
      },
      async kill() {
        child.kill('SIGKILL');
        if (child.exitCode === null && child.signalCode === null) await once(child, 'exit');
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The first line of stdout that is the ready message; everything else is log. Rejects with the log's end when the process ends. */
async function readReady(child: ChildProcess, onLog: (line: string) => void): Promise<Ready> {
  const tail: string[] = [];
  const log = (line: string) => {
    tail.push(line);
    if (tail.length > 30) tail.shift();
    onLog(line);
  };
  if (child.stderr) createInterface({ input: child.stderr }).on('line', log);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) =>
      reject(new Error(`the provisioner ended (${signal ?? code}):\n${tail.join('\n')}`)),
    );
    if (!child.stdout) return;
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.startsWith('{"ready":true')) resolve(JSON.parse(line) as Ready);
      else log(line);
    });
  });
}

function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    child.once('exit', (code) => reject(new Error(`a forwarder ended (${code}): ${stderr.trim()}`)));
    if (child.stdout) createInterface({ input: child.stdout }).once('line', resolve);
  });
}
