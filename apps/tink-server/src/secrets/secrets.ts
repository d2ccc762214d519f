import { randomBytes } from 'node:crypto';
import { fold, InvalidError, isSecretName, NotFoundError, secretDecider, type SecretState } from '@tinkerbell/domain';
import type { SecretEvent } from '@tinkerbell/events';
import { handle, type EventStore, type Handled } from '@tinkerbell/event-store';
import { BusUnavailableError, subjects, type SecretBucket } from '@tinkerbell/messaging';
import { metadataFor, type Caller } from '../commands/caller';
import { Turns } from '../commands/turns';
import { ServerLogger } from '../log';
import type { ReadSide } from '../read-side';
import { seal, unseal } from './seal';

/** Bytes of UTF-8, as many as a value may have. */
export const maxSecretBytes = 65_536;

export interface SecretWritten extends Handled {
  readonly name: string;
  readonly version: number;
}

/**
 * Values for actions, by name. The log says which there are and who set them; the values lie sealed in a bucket, each in an entry of its
 * own that counts once the log names it. So a value and its record appear together, whatever breaks in between.
 */
export class Secrets {
  private readonly turns = new Turns();
  private readonly logger = new ServerLogger('secrets');

  constructor(
    private readonly store: EventStore,
    private readonly reads: ReadSide,
    private readonly bucket: SecretBucket,
    private readonly key: Uint8Array,
  ) {}

  /** Throws InvalidError that does not hold the value, BusUnavailableError. */
  set(name: string, value: string, caller: Caller): Promise<SecretWritten> {
    const entry = randomBytes(16).toString('hex');
    const command = { type: 'SetSecret', name, entry } as const;
    secretDecider.decide(command, secretDecider.initial); // a bad name is told before anything is stored
    checkValue(value);
    const metadata = metadataFor(caller, `secret.set:${name}`);
    return this.turns.run(async () => {
      const before = await this.state(name);
      await this.bucket.put(keyOf(name, entry), seal(this.key, name, entry, value));
      const handled = await handle(this.store, secretDecider, streamOf(name), command, metadata);
      const after = await this.state(name);
      // A command that came again has changed nothing, and its entry is nobody's.
      await this.forget(name, after.entry === entry ? before.entry : entry);
      await this.reads.settle(handled.position);
      return { name, version: after.version, ...handled };
    });
  }

  /** Throws NotFoundError. */
  delete(name: string, caller: Caller): Promise<SecretWritten> {
    if (!isSecretName(name)) throw new NotFoundError('secret', name);
    const metadata = metadataFor(caller, `secret.delete:${name}`);
    return this.turns.run(async () => {
      const { entry, version } = await this.state(name);
      const handled = await handle(this.store, secretDecider, streamOf(name), { type: 'DeleteSecret', name }, metadata);
      if (handled.changed) await this.forget(name, entry);
      await this.reads.settle(handled.position);
      return { name, version, ...handled };
    });
  }

  /** Those of the names that no secret has, each once, in the order given. */
  async missing(names: readonly string[]): Promise<readonly string[]> {
    const unique = [...new Set(names)];
    const states = await Promise.all(unique.map((name) => this.state(name)));
    return unique.filter((_, i) => states[i]?.status !== 'active');
  }

  /** Name → value. Throws NotFoundError that names the first that is not there, UnsealError, BusUnavailableError. */
  async resolve(names: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const [absent] = await this.missing(names);
    if (absent !== undefined) throw new NotFoundError('secret', absent);
    const values = new Map<string, string>();
    for (const name of new Set(names)) values.set(name, await this.value(name));
    return values;
  }

  private async value(name: string): Promise<string> {
    const { entry } = await this.state(name);
    if (entry === '') throw new NotFoundError('secret', name);
    const sealed = await this.bucket.get(keyOf(name, entry));
    if (sealed) return unseal(this.key, name, entry, sealed);
    // Set anew between the two reads, or a server of the cluster that is behind.
    if ((await this.state(name)).entry !== entry) return this.value(name);
    throw new BusUnavailableError(`the value of secret ${name} is not there: try again, or set it again`);
  }

  private async state(name: string): Promise<SecretState> {
    if (!isSecretName(name)) return secretDecider.initial;
    const { events } = await this.store.read<SecretEvent>(streamOf(name));
    return fold(
      secretDecider,
      events.map(({ event }) => event),
    );
  }

  /** What is left behind is sealed and never read again. */
  private async forget(name: string, entry: string): Promise<void> {
    if (entry === '') return;
    await this.bucket
      .delete(keyOf(name, entry))
      .catch((error: unknown) => this.logger.warn(`an old value of ${name} is not removed: ${String(error)}`));
  }
}

function keyOf(name: string, entry: string): string {
  return `${name}.${entry}`;
}

function streamOf(name: string): string {
  return subjects.stream('secret', name);
}

function checkValue(value: string): void {
  if (value === '') throw new InvalidError('value', 'the value of a secret cannot be empty');
  const bytes = Buffer.byteLength(value);
  if (bytes > maxSecretBytes) {
    throw new InvalidError('value', `the value of a secret is ${bytes} bytes, more than the ${maxSecretBytes} allowed`);
  }
  // It becomes an environment variable: neither survives that.
  if (value.includes('\0')) throw new InvalidError('value', 'the value of a secret cannot hold a NUL character');
  if (/\p{Surrogate}/u.test(value)) throw new InvalidError('value', 'the value of a secret is no proper Unicode text');
}
