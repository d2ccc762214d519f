import type { AnyEvent, BootRequestFailed, Recorded } from '@tinkerbell/events';

/** What boots did not do for a machine, and why; the same thing again and again is one of them. Times are ISO 8601. */
export interface FailedRequest {
  readonly protocol: BootRequestFailed['data']['protocol'];
  readonly reason: string;
  /** In one sentence. */
  readonly text: string;
  readonly source: string;
  readonly count: number;
  readonly firstAt: string;
  readonly lastAt: string;
}

/** Oldest first, by when it was last seen. */
export function failedRequests(events: readonly Recorded<AnyEvent>[]): readonly FailedRequest[] {
  const found = new Map<string, FailedRequest>();
  for (const { event } of events) {
    if (event.type !== 'BootRequestFailed' || wasServed(event.data)) continue;
    const { protocol, reason, source, count, firstAt, lastAt } = event.data;
    const text = failedText(event.data);
    const key = `${protocol} ${text}`;
    const before = found.get(key);
    found.delete(key);
    found.set(key, {
      ...{ protocol, reason, text, source, lastAt },
      count: count + (before?.count ?? 0),
      firstAt: before?.firstAt ?? firstAt,
    });
  }
  return [...found.values()];
}

const causes: Readonly<Record<string, string>> = {
  'unknown-machine': 'no hardware record has this MAC',
  'no-reserved-address': 'the hardware record of this interface has no IPv4 address',
  'address-in-use': 'its address is leased to another machine',
  'other-network': 'it asks from a network that its address is not of',
  'other-server': 'it took the offer of another DHCP server',
  'other-address': 'it names an address that is not its own',
  'no-requested-address': 'it names no address',
  'unknown-lease': 'it comes back with an address that nobody here leased to it',
  'no-free-address': 'no address of the pools that it may use is left',
  'declined-too-often': 'it declined several addresses within minutes, and gets none of a pool for a while',
  'not-for-proxy': 'the other DHCP server answers that',
  'no-boot-client': 'it asks for no boot file, and its address is another DHCP server’s affair',
  associations: 'it asks for more addresses than any client needs',
  'no-address': 'there is no address for it',
  'no-client-id': 'it does not say who it is',
  'server-id': 'it names a server where it must not, or none where it must',
  unicast: 'it asks one server alone where it must ask all',
  association: 'it asks for information and for addresses at once',
  'no-boot-file': 'there is no boot program for its architecture',
  'no-message-type': 'it is of BOOTP, which is switched off (BOOTS_BOOTP)',
  'message-type': 'a message of a kind that no server answers',
  'not-a-request': 'the message is no request',
  'not-ethernet': 'its hardware address is no MAC',
  mode: 'boots does no DHCP on that network (BOOTS_DHCP_MODE, BOOTS_DHCP_SUBNETS)',
  malformed: 'the packet is malformed',
  refused: 'it breaks a rule',
  error: 'boots failed: see its log',
  'no-script': 'its boot script was refused',
  'no-such-file': 'there is no such file',
  'too-many': 'as many transfers are under way as there may be (BOOTS_TFTP_MAX_TRANSFERS)',
  'too-many-of-client':
    'it, or its IPv6 network, has as many transfers under way as one client may have (BOOTS_TFTP_MAX_PER_CLIENT)',
  'too-slow': 'it took so little of a file that its transfer was ended (BOOTS_TFTP_PROGRESS_SECONDS)',
  'gave-up': 'it stopped answering in the middle of a file',
  'broken-off': 'it broke off in the middle of a file',
};

/** Logs of before say so of a machine that was told to boot its own disk, beside its script. */
export function wasServed({ reason }: Pick<BootRequestFailed['data'], 'reason'>): boolean {
  return reason === 'may-not-netboot';
}

/** A reason that this release does not know stands for itself. */
export function failedText({ protocol, reason, detail }: BootRequestFailed['data']): string {
  return `${protocol.toUpperCase()}: ${causes[reason] ?? reason}${detail === '' ? '' : ` (${detail})`}`;
}
