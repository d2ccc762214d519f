import {
  associationText,
  type Entry,
  familyOf,
  hexText,
  type Ledger,
  macOfDuid,
  macText,
  maxEpoch,
  type Place,
  quoted,
  timeText,
  wholeNumber,
} from './lease-file';

const fields = ['expiry', 'MAC', 'address', 'host name', 'client id'] as const;
const fields6 = ['expiry', 'IAID', 'address', 'host name', 'client DUID'] as const;

/** The file of dnsmasq: a line a lease, those of IPv6 behind a line with the DUID of the server. */
export function readDnsmasq(file: string, text: string, ledger: Ledger): void {
  let family: 4 | 6 = 4;
  text.split('\n').forEach((raw, at) => {
    const row = raw.trim();
    const place = { file, line: at + 1 };
    if (row === '') return;
    if (/^duid\s/.test(row)) {
      family = 6;
      const duid = row.slice(4).trim();
      if (hexText(duid) === undefined) ledger.fault(place, 'duid', `${quoted(duid)} is no DUID`);
      return;
    }
    const entry = readRow(row.split(/ +/), family, place, ledger);
    if (entry) ledger.put(entry);
  });
}

/** undefined: it has faults. */
function readRow(row: readonly string[], family: 4 | 6, place: Place, ledger: Ledger): Entry | undefined {
  const names = family === 6 ? fields6 : fields;
  if (row.length !== names.length) {
    return ledger.fault(place, '', `has ${row.length} fields, a lease has ${names.length}: ${names.join(', ')}`);
  }
  const before = ledger.faults.length;
  const [expiry = '', client = '', address = '', host = '', id = ''] = row;
  const fault = (at: number, text: string, what: string) =>
    ledger.fault(place, names[at] ?? '', `${quoted(text)} ${what}`);
  const epoch = wholeNumber(expiry, maxEpoch);
  if (epoch === undefined) fault(0, expiry, `is no time in seconds since 1970`);
  const parsed = familyOf(address);
  if (parsed?.family !== family) fault(2, address, `is no IPv${family} address`);
  const who = family === 6 ? clientOf6(client, id, fault) : clientOf(client, id, fault);
  if (ledger.faults.length > before || parsed === undefined || epoch === undefined) return undefined;
  if (who.isTemporary) return { kind: 'temporary', ip: parsed.ip, ...place };
  return {
    ...{ kind: 'lease', ...parsed, mac: who.mac, clientId: who.clientId, ...place },
    hostname: host === '*' ? '' : host,
    state: 'bound',
    expiresAt: epoch === 0 ? null : timeText(epoch),
  };
}

type Fault = (at: number, text: string, what: string) => void;

interface Who {
  readonly mac: string | null;
  readonly clientId: string | null;
  readonly isTemporary: boolean;
}

/** Before a MAC that is not of Ethernet stands its hardware type, `06-`. */
function clientOf(hardware: string, id: string, fault: Fault): Who {
  const [, type, bytes = ''] = /^(?:([0-9a-f]{2})-)?(.*)$/i.exec(hardware) ?? [];
  if (bytes !== '' && hexText(bytes) === undefined) fault(1, hardware, 'is no MAC address');
  const clientId = id === '*' ? null : hexText(id);
  if (clientId === undefined) fault(4, id, 'is neither * nor a list of bytes such as 01:52:54:00:12:34:56');
  return { mac: type === undefined ? (macText(bytes) ?? null) : null, clientId: clientId ?? null, isTemporary: false };
}

/** The IAID of a temporary address begins with T. */
function clientOf6(association: string, duid: string, fault: Fault): Who {
  const isTemporary = association.startsWith('T');
  const iaid = wholeNumber(isTemporary ? association.slice(1) : association, 0xffff_ffff);
  if (iaid === undefined) fault(1, association, 'is no IAID');
  const clientId = associationText(duid, iaid ?? 0);
  if (clientId === undefined) fault(4, duid, 'is no DUID such as 00:03:00:01:52:54:00:12:34:56');
  return { mac: macOfDuid(clientId ?? ''), clientId: clientId ?? null, isTemporary };
}
