import type { ReadModel } from '@tinkerbell/event-store';
import type { HardwareRow, LeaseRow } from '@tinkerbell/projections';
import type { Json } from '@tinkerbell/events';
import { clientAddress, MalformedPeerError, type TrustedProxies } from './client-address';
import { ec2Text, lines, type ListingForm } from './ec2-tree';
import { FilterError, parseFilter } from './filter';

export interface Question {
  readonly method: string;
  /** Path of the URL, still percent-encoded, without the query. */
  readonly path: string;
  /** Address of the socket's other end. */
  readonly peer: string;
  readonly forwardedFor: string;
}

export interface Answer {
  readonly status: number;
  readonly type: 'text/plain' | 'application/json';
  readonly body: string;
  /** For the metrics; few different values. */
  readonly route: string;
}

/** All that an answer depends on. */
export abstract class Site {
  abstract readonly hardware: Pick<ReadModel<HardwareRow>, 'find'>;
  /** The lease that somebody holds on this address now. */
  abstract readonly leaseOf: (address: string) => LeaseRow | undefined;
  /** Hardware whose `metadata.instance.id` this is. */
  abstract readonly byInstanceId: (id: string) => HardwareRow | undefined;
  abstract readonly trusted: TrustedProxies;
  /** Path → jq filter over the hardware record. */
  abstract readonly endpoints: Readonly<Record<string, string>>;
  abstract readonly listing: ListingForm;
  abstract readonly instanceUrls: boolean;
}

const notFound = '404 not found';
const ec2Roots = ['/2009-04-04', '/latest'];

/** What hegel says to one request for metadata. Never throws: a fault of the source is a 500. */
export function answer(question: Question, site: Site): Answer {
  const path = question.path.replace(/\/+$/, '');
  if (question.method !== 'GET') return text('other', 405, '405 method not allowed');
  try {
    return route(path, question, site);
  } catch (error) {
    if (error instanceof MalformedPeerError || error instanceof URIError) {
      return text('other', 400, `400 ${error.message}`);
    }
    return text('other', 500, `500 ${error instanceof Error ? error.message : String(error)}`);
  }
}

function route(path: string, question: Question, site: Site): Answer {
  const filter = Object.hasOwn(site.endpoints, path) ? site.endpoints[path] : undefined;
  if (filter !== undefined) return forCaller('endpoint', question, site, (row) => filtered(filter, row));
  const below = ec2Path(path);
  if (below !== undefined) return forCaller('ec2', question, site, (row) => ec2('ec2', row, below, site.listing));
  const byId = site.instanceUrls ? /^\/tootles\/instanceID\/([^/]+)(\/.*)$/.exec(path) : null;
  const belowId = ec2Path(byId?.[2] ?? '');
  if (!byId?.[1] || belowId === undefined) return text('other', 404, notFound);
  const row = site.byInstanceId(decodeURIComponent(byId[1]));
  return row ? ec2('instance', row, belowId, site.listing) : text('instance', 404, notFound);
}

/** The rest of a path below one of the EC2 versions. */
function ec2Path(path: string): string | undefined {
  const root = ec2Roots.find((each) => path === each || path.startsWith(`${each}/`));
  return root === undefined ? undefined : path.slice(root.length);
}

function forCaller(name: string, question: Question, site: Site, reply: (row: HardwareRow) => Answer): Answer {
  const address = clientAddress(question.peer, question.forwardedFor, site.trusted);
  // Every wire has its own, so the one of a record says nothing of who asks.
  if (/^fe[89ab]/.test(address))
    return text(name, 404, `404 no hardware is known by the link-local address ${address}`);
  const row = site.hardware.find(`ip:${address}`) ?? lessee(address, site);
  return row ? reply(row) : text(name, 404, `404 no hardware with the address ${address}`);
}

/** A record has one address of an interface; that of the other family, and every one from a pool, is known by its lease. */
function lessee(address: string, { hardware, leaseOf }: Site): HardwareRow | undefined {
  const mac = leaseOf(address)?.mac ?? null;
  return mac === null ? undefined : hardware.find(`mac:${mac}`);
}

function ec2(name: string, { hardware }: HardwareRow, path: string, listing: ListingForm): Answer {
  const found = ec2Text(hardware, path, listing);
  return found === undefined ? text(name, 404, notFound) : text(name, 200, found);
}

function filtered(filter: string, { hardware }: HardwareRow): Answer {
  try {
    const values = parseFilter(filter)(hardware as unknown as Json);
    const [first] = values;
    const json = values.length === 1 && first !== undefined && typeof first === 'object' && first !== null;
    return { status: 200, type: json ? 'application/json' : 'text/plain', body: lines(values), route: 'endpoint' };
  } catch (error) {
    if (error instanceof FilterError) return text('endpoint', 500, `500 ${error.message}`);
    throw error;
  }
}

function text(name: string, status: number, body: string): Answer {
  return { status, type: 'text/plain', body, route: name };
}
