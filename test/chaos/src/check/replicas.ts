import { createHash } from 'node:crypto';
import { connectNats, streamNames } from '@tinkerbell/messaging';
import type { NatsConnection } from 'nats';
import { fault, type Violation } from './violations';

export interface Access {
  readonly ca: string;
  readonly creds: string;
}

interface Copy {
  readonly server: string;
  readonly messages: number;
  readonly last: number;
  readonly sha256: string;
}

/** Reads the log out of each server's own copy and compares content and length. */
export async function compareReplicas(
  urls: readonly string[],
  access: Access,
): Promise<{
  readonly copies: readonly Copy[];
  readonly violations: readonly Violation[];
}> {
  const copies: Copy[] = [];
  for (const url of urls) copies.push(await copyOf(url, access));
  const [first] = copies;
  const violations = copies
    .filter((copy) => copy.sha256 !== first?.sha256 || copy.messages !== first.messages)
    .map((copy) => fault('replicas differ', `${text(copy)}, but ${first ? text(first) : 'none'}`));
  return { copies, violations };
}

const text = ({ server, messages, last, sha256 }: Copy) =>
  `${server}: ${messages} messages to ${last}, ${sha256.slice(0, 12)}`;

/**
 * A server prefers the subscriber that is its own client to one behind a route, and each copy answers direct gets: over a connection to
 * one server they are answered from its disk.
 */
async function copyOf(url: string, { ca, creds }: Access): Promise<Copy> {
  const connection = await connectNats({ servers: url, ca, creds, name: 'checker', onlyThese: true });
  try {
    const hash = createHash('sha256');
    let messages = 0;
    let last = 0;
    for (;;) {
      const message = await directGet(connection, last + 1);
      if (!message) return { server: url, messages, last, sha256: hash.digest('hex') };
      hash.update(`${message.seq} ${message.subject}\n`).update(message.data);
      messages++;
      last = message.seq;
    }
  } finally {
    await connection.close();
  }
}

async function directGet(
  connection: NatsConnection,
  seq: number,
): Promise<{ readonly seq: number; readonly subject: string; readonly data: Uint8Array } | undefined> {
  const request = JSON.stringify({ seq, next_by_subj: 'tink.ev.>' });
  const { headers, data } = await connection.request(`$JS.API.DIRECT.GET.${streamNames.events}`, request, {
    timeout: 5_000,
  });
  if (headers?.code === 404) return undefined;
  if (headers?.code) throw new Error(`direct get of ${seq}: ${headers.code} ${headers.description}`);
  return { seq: Number(headers?.get('Nats-Sequence')), subject: headers?.get('Nats-Subject') ?? '', data };
}
