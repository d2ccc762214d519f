import { InvalidError, parseIp, parseMac } from '@tinkerbell/domain';
import { nearest } from '@tinkerbell/domain';
import type { MachineRow } from '@tinkerbell/projections';
import { RequestError } from '../http/http-errors';
import type { ReadSide } from '../read-side';

/** How many rows are looked through for what somebody may have meant. */
const looked = 2_000;

/** A name that is none. `meant`: what comes nearest to it. */
export class UnknownNameError extends RequestError {
  readonly status = 404;
  readonly code = 'NOT_FOUND';
  constructor(kind: string, name: string, meant: string | undefined) {
    super(`${kind} ${name} not found${meant === undefined ? '' : `; did you mean ${meant}?`}`);
  }
}

/** By id, MAC, IP address or host name. Throws UnknownNameError, InvalidError when several machines have the name. */
export function findMachine(reads: ReadSide, name: string): MachineRow {
  const { machines } = reads;
  const text = name.toLowerCase();
  const [mac, ip] = [parseMac(text), parseIp(text)?.address];
  const byId = machines.get(text);
  const lookup = mac ? `mac:${mac}` : ip ? `ip:${ip}` : `name:${text}`;
  const all = byId ? [byId] : machines.findAll(lookup);
  // What was seen of it before it had a record is a row of its own.
  const registered = all.filter((row) => row.registered);
  const [found, ...others] = registered.length > 0 ? registered : all;
  if (!found) throw new UnknownNameError('machine', name, nearest(text, namesOf(machines.list(around(text)))));
  if (others.length === 0) return found;
  const ids = [found, ...others].map(({ id }) => id).join(', ');
  throw new InvalidError('name', `several machines are ${name}: ${ids}`);
}

/** As `findMachine`; a MAC that no row has is one, too. */
export function findMachineOrMac(reads: ReadSide, name: string): MachineRow | { readonly mac: string } {
  const mac = parseMac(name.toLowerCase());
  try {
    return findMachine(reads, name);
  } catch (error) {
    if (error instanceof UnknownNameError && mac !== undefined) return { mac };
    throw error;
  }
}

/** An id that begins alike stands near in the order of the keys; of a host name nothing is known but that it is somewhere. */
function around(text: string): { readonly after: string; readonly limit: number } {
  return { after: /^[0-9a-f]{4,8}-?/.test(text) ? text.slice(0, 3) : '', limit: looked };
}

function namesOf(rows: readonly MachineRow[]): readonly string[] {
  return rows.flatMap(({ id, hostname, mac, ip }) =>
    [hostname.toLowerCase(), id, mac, mac.replaceAll('-', ':'), ip].filter((each) => each !== ''),
  );
}

/** For a workflow that nobody knows: the one whose id comes nearest. */
export function unknownWorkflow({ workflows }: ReadSide, id: string): UnknownNameError {
  const ids = workflows.list({ after: id.slice(0, 3), limit: looked / 10 }).map((row) => row.id);
  return new UnknownNameError('workflow', id, nearest(id, ids));
}
