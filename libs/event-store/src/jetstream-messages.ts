import type { Answers } from '@tinkerbell/messaging';
import type { Msg, MsgHdrs, StoredMsg } from 'nats';
import type { Kept } from './envelope';

export const expectedHeader = 'Nats-Expected-Last-Subject-Sequence';
export const idHeader = 'Nats-Msg-Id';
/** When a restored commit was stored first, ISO 8601. */
export const atHeader = 'Tink-Stored-At';

export function fromStored({ seq, subject, timestamp, data, header }: StoredMsg): Kept {
  return { position: seq, stream: subject, at: toIso(timestamp), bytes: data, ...fromHeaders(header) };
}

/** ISO 8601 with milliseconds from the server's RFC 3339 with nanoseconds. */
function toIso(timestamp: string): string {
  return new Date(timestamp).toISOString();
}

/** What headers say goes before what the server says: a restored commit keeps its time. */
export function fromHeaders(headers?: MsgHdrs): Pick<Kept, 'id' | 'expected'> & { readonly at?: string } {
  const expected = headers?.get(expectedHeader);
  const at = headers?.get(atHeader);
  return {
    id: headers?.get(idHeader) ?? '',
    ...(expected ? { expected: Number(expected) } : {}),
    ...(at ? { at } : {}),
  };
}

let lastTime = { milliseconds: '', iso: '' };

/** ISO 8601 with milliseconds from nanoseconds since 1970: cut, not rounded, so that it is the time that a direct get tells. */
export function timeOf(nanoseconds: string): string {
  const milliseconds = nanoseconds.slice(0, -6);
  // Many messages have the time of the one before.
  if (milliseconds !== lastTime.milliseconds) {
    lastTime = { milliseconds, iso: new Date(Number(milliseconds)).toISOString() };
  }
  return lastTime.iso;
}

/** The answer broke off: nothing may be concluded from what came of it. */
export class IncompleteAnswerError extends Error {}

const batchSize = 500;

/**
 * All messages of one subject after a position by direct get in batches: one round trip for most aggregates. nats-server 2.11 and newer; an R1 stream only,
 * because another replica may not have what the leader acknowledged.
 */
export async function readSubjectInBatches(
  answers: Answers,
  stream: string,
  subject: string,
  after: number,
): Promise<readonly Kept[]> {
  const all: Kept[] = [];
  for (;;) {
    const from = (all.at(-1)?.position ?? after) + 1;
    const { messages, more } = await readBatch(answers, stream, subject, from);
    if (!more) return all.length === 0 ? messages : [...all, ...messages];
    all.push(...messages);
  }
}

function readBatch(
  answers: Answers,
  stream: string,
  subject: string,
  from: number,
): Promise<{ readonly messages: readonly Kept[]; readonly more: boolean }> {
  const messages: Kept[] = [];
  let pending = 0;
  const request = { batch: batchSize, seq: from, next_by_subj: subject };
  return answers.ask({
    subject: `$JS.API.DIRECT.GET.${stream}`,
    data: Buffer.from(JSON.stringify(request)),
    take(message) {
      const { headers } = message;
      if (message.data.length > 0 || !headers?.code) {
        pending = Number(headers?.get('Nats-Num-Pending') ?? 0);
        messages.push(fromDirect(message));
        return undefined;
      }
      // 204: end of the batch. 404: nothing from there on.
      if (headers.code === 204) return { messages, more: pending > 0 && messages.length > 0 };
      if (headers.code === 404) return { messages, more: false };
      throw new IncompleteAnswerError(`${headers.code} ${headers.description}`);
    },
  });
}

function fromDirect({ headers, data }: Msg): Kept {
  return {
    position: Number(headers?.get('Nats-Sequence')),
    stream: headers?.get('Nats-Subject') ?? '',
    at: toIso(headers?.get('Nats-Time-Stamp') ?? ''),
    bytes: data,
    ...fromHeaders(headers),
  };
}
