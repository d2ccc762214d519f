import type { Subnet6 } from '../dhcp6/subnet6';
import { InTurn } from '../in-turn';
import type { Logger } from '../logger';
import { RouterAdvertisements } from './radvd';
import type { Advertised, AdvertisedLink } from './radvd-config';

/** An interface may get its carrier or its address later. */
const followMs = 5000;
/** Before radvd is started again, doubled each time; one that ran for longer than the last of them begins with the first. */
const [firstPauseMs, lastPauseMs] = [1000, 60_000];

/** Router advertisements by radvd, which is started anew when others are to be sent, when an interface that was not there comes up, and when it ends by itself. */
export class Advertising {
  #running: RouterAdvertisements | undefined;
  #missing: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #falls = 0;
  #restart: NodeJS.Timeout | undefined;
  readonly #work = new InTurn();

  constructor(
    private subnets: readonly Subnet6[],
    private readonly find: (subnets: readonly Subnet6[]) => Advertised,
    private readonly binary: string,
    private readonly log: Logger,
  ) {}

  /** Throws RouterAdvertisementError. */
  async open(): Promise<void> {
    await this.#work.do(() => this.#send(this.subnets));
    this.#timer = setInterval(() => void this.#work.do(() => this.#again()), followMs).unref();
  }

  /** Throws RouterAdvertisementError: what went out until now still does. */
  become(subnets: readonly Subnet6[]): Promise<void> {
    return this.#work.do(async () => {
      if (advertisedBy(subnets) !== advertisedBy(this.subnets)) await this.#send(subnets);
    });
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#work.do(async () => {
      clearTimeout(this.#restart);
      await this.#running?.stop();
      this.#running = undefined;
    });
  }

  async #again(): Promise<void> {
    if (this.#missing.length === 0 || this.find(this.subnets).missing.length >= this.#missing.length) return;
    try {
      await this.#send(this.subnets);
    } catch (error) {
      this.log.error(`${error instanceof Error ? error.message : String(error)}; tried again`);
    }
  }

  async #send(subnets: readonly Subnet6[]): Promise<void> {
    const { links, missing } = this.find(subnets);
    await this.#run(links);
    this.subnets = subnets;
    this.#missing = missing;
    if (links.length > 0) {
      this.log.info(`router advertisements go out on ${links.map(({ interface: name }) => name).join(', ')}`);
    }
    if (missing.length > 0) {
      this.log.warn(`${missing.join(', ')}: to be advertised, and no interface that is up has an address in it yet`);
    }
  }

  /** In the place of those before, once they run. */
  async #run(links: readonly AdvertisedLink[]): Promise<void> {
    const before = this.#running;
    const next = links.length === 0 ? undefined : await RouterAdvertisements.start(links, this.binary, this.log);
    clearTimeout(this.#restart);
    this.#running = next;
    if (next) this.#watch(next);
    // Where others have taken the place of the last ones, nothing ends.
    await before?.stop(before.interfaces.every((name) => next?.interfaces.includes(name)) ? 'SIGKILL' : 'SIGTERM');
  }

  #watch(running: RouterAdvertisements): void {
    const startedAt = performance.now();
    void running.fall.then((text) => {
      if (this.#running !== running) return;
      if (performance.now() - startedAt > lastPauseMs) this.#falls = 0;
      this.#startAgain(text);
    });
  }

  #startAgain(why: string): void {
    const ms = Math.min(lastPauseMs, firstPauseMs * 2 ** this.#falls++);
    this.log.error(`${why}; started again in ${ms / 1000} s`);
    const fallen = this.#running;
    const start = async () => {
      if (this.#running !== fallen) return;
      try {
        await this.#send(this.subnets);
      } catch (error) {
        this.#startAgain(error instanceof Error ? error.message : String(error));
      }
    };
    this.#restart = setTimeout(() => void this.#work.do(start), ms).unref();
  }
}

function advertisedBy(subnets: readonly Subnet6[]): string {
  return JSON.stringify(
    subnets.flatMap(({ prefix, length, advertise }) => (advertise ? [[String(prefix), length, advertise]] : [])),
  );
}
