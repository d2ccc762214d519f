import type { Envelope, StoredMessage } from '../envelope';
import { emptyHead, type StreamHead } from '../event-store';
import type { Findings } from './report';

/** The chain of each stream: `followsHead` of ../envelope.ts for somebody who goes on after a fault. Keeps one head per stream. */
export class StreamChains {
  readonly #heads = new Map<string, StreamHead>();
  /** Commits up to this position are not read. */
  since = 0;

  constructor(private readonly findings: Findings) {}

  get count(): number {
    return this.#heads.size;
  }

  take(message: StoredMessage, envelope: Envelope, sha256: string): void {
    const { position, stream, expected } = message;
    const { ver, prev } = envelope;
    const head = this.#heads.get(stream) ?? this.#headBefore(message, envelope);
    if (ver <= head.version) {
      const fault = `commit ${ver} of the stream comes after its commit ${head.version}`;
      this.findings.add({ position, stream, kind: 'reordered', fault });
      return; // the head stays: what follows it may be whole
    }
    if (ver > head.version + 1) this.#jump(head, position, stream, ver);
    else if (prev !== head.hash) this.#changed(head, position, stream, ver);
    else this.#place(head, position, stream, expected);
    this.#heads.set(stream, { position, version: ver, hash: sha256 });
  }

  /** A commit that cannot be read still has its place and its hash. */
  takeUnreadable({ position, stream }: StoredMessage, sha256: string): void {
    const head = this.#heads.get(stream) ?? emptyHead;
    this.#heads.set(stream, { position, version: head.version + 1, hash: sha256 });
  }

  /** Of a stream that is met for the first time: its predecessor may be among what is not read. */
  #headBefore({ expected }: StoredMessage, { ver, prev }: Envelope): StreamHead {
    const isRead = expected === 0 || (expected !== undefined && expected > this.since);
    if (this.since === 0 || ver === 1 || isRead) return emptyHead;
    return { position: expected ?? 0, version: ver - 1, hash: prev };
  }

  #jump(head: StreamHead, position: number, stream: string, ver: number): void {
    const [from, to] = [head.version + 1, ver - 1];
    const what = from === to ? `commit ${from}` : `commits ${from} to ${to}`;
    this.findings.add({
      position,
      stream,
      kind: 'removed',
      fault: `${what} of the stream missing before its commit ${ver}`,
    });
  }

  #changed(head: StreamHead, position: number, stream: string, ver: number): void {
    // Without a predecessor only `prev` itself can be wrong.
    if (ver === 1) {
      this.findings.add({
        position,
        stream,
        kind: 'altered',
        fault: 'the first commit of the stream names a predecessor',
      });
      return;
    }
    const fault = `commit ${ver - 1} of the stream is not the one that its commit ${ver} at ${position} was made after`;
    this.findings.add({ position: head.position, stream, kind: 'altered', fault });
  }

  #place(head: StreamHead, position: number, stream: string, expected: number | undefined): void {
    if (expected === head.position) return;
    const fault =
      expected === undefined
        ? { kind: 'altered' as const, fault: 'does not say which position it was stored after' }
        : {
            kind: 'reordered' as const,
            fault: `was stored after position ${expected}, but its predecessor stands at ${head.position}`,
          };
    this.findings.add({ position, stream, ...fault });
  }
}
