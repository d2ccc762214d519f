import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Logger } from '../logger';
import { type AdvertisedLink, radvdConfig } from './radvd-config';

export class RouterAdvertisementError extends Error {}

/** Debian's radvd as a child process. */
export class RouterAdvertisements {
  #stopped = false;
  #fell: (text: string) => void = () => {};
  /** Resolves, with what there is to say about it, when radvd ends though nobody told it to. */
  readonly fall = new Promise<string>((resolve) => (this.#fell = resolve));

  private constructor(
    private readonly child: ChildProcess,
    readonly interfaces: readonly string[],
    private readonly folder: string,
  ) {}

  /** Throws RouterAdvertisementError when radvd is missing or does not like an interface. */
  static async start(links: readonly AdvertisedLink[], binary: string, log: Logger): Promise<RouterAdvertisements> {
    const names = links.map(({ interface: name }) => name);
    const wrong = names.find((name) => !/^[A-Za-z0-9_.-]{1,15}$/.test(name));
    if (wrong !== undefined) {
      throw new RouterAdvertisementError(`${JSON.stringify(wrong)} is not the name of a network interface`);
    }
    const folder = await mkdtemp(join(tmpdir(), 'boots-radvd-'));
    const config = join(folder, 'radvd.conf');
    await writeFile(config, radvdConfig(links));
    const args = ['-n', '-C', config, '-p', join(folder, 'radvd.pid'), '-m', 'stderr'];
    // Through setpriv the kernel ends radvd with us, also after a SIGKILL; setpriv itself says 127 when there is no such program.
    const child = spawn('setpriv', ['--pdeathsig', 'TERM', '--', binary, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    const running = new RouterAdvertisements(child, names, folder);
    try {
      await running.#ready(binary, names.join(', '), log);
      return running;
    } catch (error) {
      await running.stop();
      throw error;
    }
  }

  /** SIGTERM: its last words are that there is no router here any more; SIGKILL: without. */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    this.#stopped = true;
    if (this.child.exitCode === null && this.child.signalCode === null && this.child.pid !== undefined) {
      const ended = new Promise<void>((resolve) => this.child.once('exit', () => resolve()));
      this.child.kill(signal);
      await ended;
    }
    await rm(this.folder, { recursive: true, force: true });
  }

  /** radvd says `version … started` and goes on, or says what is wrong and ends. */
  #ready(binary: string, interfaces: string, log: Logger): Promise<void> {
    return new Promise((resolve, reject) => {
      let said = '';
      this.child.once('error', (cause: NodeJS.ErrnoException) => {
        reject(new RouterAdvertisementError(`cannot send router advertisements: ${cause.message}`, { cause }));
      });
      this.child.stderr?.on('data', (bytes: Buffer) => {
        said = `${said}${bytes.toString()}`.slice(-2000);
        log.debug(`radvd: ${bytes.toString().trim()}`);
        if (/started/.test(said)) resolve();
      });
      this.child.once('exit', (code, signal) => {
        const missing = code === 127;
        const advice = `${binary} is not installed (Debian: apt-get install radvd), or unset BOOTS_RA_INTERFACE and advertise no subnet`;
        const text = missing
          ? `cannot send router advertisements: ${advice}`
          : `radvd on ${interfaces} ended with ${signal ?? `code ${code}`}: ${said.trim()}`;
        if (!this.#stopped) this.#fell(text);
        reject(new RouterAdvertisementError(text));
      });
    });
  }
}
