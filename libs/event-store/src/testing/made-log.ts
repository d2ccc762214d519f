import { generateKeyPairSync, sign } from 'node:crypto';
import type { Event } from '@tinkerbell/events';
import { subjects } from '@tinkerbell/messaging/subjects';
import { leafOf, roll, sha256Of, signCheckpoint, type Signer } from '../audit';
import type { Kept } from '../envelope';
import { InMemoryEventStore } from '../in-memory';

export function newSigner(): Signer {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    publicKey: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
    sign: (text) => sign(null, Buffer.from(text), privateKey).toString('base64'),
  };
}

export const auditStream = subjects.stream('audit', 'log');
export const templateStream = (id: string) => subjects.stream('template', id);

/** A log in memory that a spec fills, signs and reads as it was stored. */
export class MadeLog {
  readonly store = new InMemoryEventStore({ now: () => new Date(Date.UTC(2026, 0, 1) + 1000 * ++this.#ticks) });
  #ticks = 0;

  constructor(readonly signer: Signer = newSigner()) {}

  /** Templates by id, one commit each; a name that comes again is an update. */
  async write(...ids: readonly string[]): Promise<void> {
    for (const id of ids) {
      const { head } = await this.store.read(templateStream(id));
      const type = head.version === 0 ? 'TemplateCreated' : 'TemplateUpdated';
      await this.append(templateStream(id), { type, v: 1, data: { name: id, data: `${id} ${head.version + 1}` } });
    }
  }

  async append(stream: string, event: Event): Promise<void> {
    const { head } = await this.store.read(stream);
    const metadata = { id: `c${++this.#ticks}`, actor: 'user:ann' };
    await this.store.append(stream, [event], { expected: head, metadata });
  }

  /** Signs what is there. */
  async checkpoint(signer = this.signer): Promise<void> {
    const kept = await this.read();
    const data = signCheckpoint(signer, kept.length, hashOfLog(kept));
    await this.append(auditStream, { type: 'AuditCheckpointed', v: 1, data });
  }

  async read(): Promise<Kept[]> {
    const last = await this.store.lastPosition();
    const kept: Kept[] = [];
    if (last === 0) return kept;
    for await (const message of this.store.messages({ after: 0 })) if (kept.push(message) === last) break;
    return kept;
  }
}

export function hashOfLog(kept: readonly Kept[]): string {
  return kept.reduce((hash, message) => roll(hash, leafOf(message, sha256Of(message.bytes))), '');
}
