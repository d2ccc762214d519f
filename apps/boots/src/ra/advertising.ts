import type { Logger } from '../logger';
import { RouterAdvertisements } from './radvd';
import type { Advertised, AdvertisedLink } from './radvd-config';

/** An interface may get its carrier or its address later. */
const followMs = 5000;

/** Router advertisements by radvd, which is started anew when an interface that was not there comes up. */
export class Advertising {
  #running: RouterAdvertisements | undefined;
  #missing: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  constructor(
    private readonly find: () => Advertised,
    private readonly binary: string,
    private readonly log: Logger,
  ) {}

  /** Throws RouterAdvertisementError. */
  async open(): Promise<void> {
    const { links, missing } = this.find();
    await this.#run(links);
    this.#missing = missing;
    if (missing.length === 0) return;
    this.log.warn(`${missing.join(', ')}: to be advertised, and no interface that is up has an address in it yet`);
    this.#timer = setInterval(() => {
      this.#looking = this.#looking.then(() => this.#again());
    }, followMs).unref();
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#looking;
    await this.#running?.stop();
  }

  async #again(): Promise<void> {
    const { links, missing } = this.find();
    if (missing.length >= this.#missing.length) return;
    try {
      await this.#running?.stop();
      await this.#run(links);
      this.#missing = missing;
      this.log.info(`router advertisements go out on ${links.map(({ interface: name }) => name).join(', ')}`);
      if (missing.length === 0) clearInterval(this.#timer);
    } catch (error) {
      this.log.error(`${error instanceof Error ? error.message : String(error)}; tried again`);
    }
  }

  async #run(links: readonly AdvertisedLink[]): Promise<void> {
    this.#running = undefined;
    if (links.length > 0) this.#running = await RouterAdvertisements.start(links, this.binary, this.log);
  }
}
