import { type Entry, LeaseFileError, type LeaseFormat, Ledger } from './lease-file';
import { readDnsmasq } from './read-dnsmasq';
import { readIsc } from './read-isc';
import { isHeader, readKea } from './read-kea';

const readers = { kea: readKea, isc: readIsc, dnsmasq: readDnsmasq };

export interface NamedText {
  readonly name: string;
  readonly text: string;
}

/** What is said last of each address, in the order of the files. Throws LeaseFileError with everything that is wrong. */
export function readLeaseFiles(files: readonly NamedText[], format: LeaseFormat): readonly Entry[] {
  const ledger = new Ledger();
  for (const { name, text } of files) readers[format](name, text, ledger);
  if (ledger.faults.length > 0) throw new LeaseFileError(ledger.faults);
  return ledger.entries;
}

/** By its first line that says something; undefined: it could be anybody's. */
export function guessFormat(text: string): LeaseFormat | undefined {
  const first = /^[ \t]*(?!#)\S.*$/m.exec(text)?.[0].trim() ?? '';
  if (isHeader(first)) return 'kea';
  if (/^duid \S+$/.test(first) || /^\d+ \S+ \S+ \S+ \S+$/.test(first)) return 'dnsmasq';
  const isIsc = /^(lease|ia-na|ia-ta|ia-pd|server-duid|authoring-byte-order|failover|host|group|class)\b/.test(first);
  return isIsc || /^# .*dhcpd\.leases/m.test(text) ? 'isc' : undefined;
}
