import type { StaticNetwork } from '../osie-boot';
import { defaultRetry, failureLines, retried, type RetryPolicy } from '../retry';
import { template, UnsafeScriptValueError, word } from '../script-value';

export interface IsoBoot {
  /** `aa:bb:cc:dd:ee:ff`. */
  readonly mac: string;
  /** 0 = none. */
  readonly vlanId: number;
  /** undefined: the machine asks by DHCP, which names its script. */
  readonly network?: StaticNetwork;
  /** By DHCPv6 first; used without `network` only. */
  readonly isIpv6?: boolean;
  /** Of the machine's script; used with `network` only. */
  readonly scriptUrl: string;
}

/** What the iPXE on a machine's ISO does: find the network card, give it its address, fetch the machine's script. */
export function isoScript(
  { mac, vlanId, network, isIpv6, scriptUrl }: IsoBoot,
  retry: RetryPolicy = defaultRetry,
): string {
  const address = word('mac', mac);
  const card = vlanId === 0 ? 'net${card}' : `net\${card}-${vlanId}`;
  return [
    '#!ipxe',
    '',
    'set card:int32 0',
    ':look',
    'isset ${net${card}/mac} || goto missing',
    `iseq \${net\${card}/mac} ${address} && goto found ||`,
    'inc card',
    'goto look',
    ':missing',
    `echo Tinkerbell: this medium is for ${address}, and no network card here has that address`,
    'goto failed',
    ':found',
    ...(vlanId === 0 ? [] : [`vcreate --tag ${vlanId} net\${card} || goto failed`]),
    ...(network
      ? [
          ...staticLines(card, network),
          ...retried('script', `chain --autofree ${template('scriptUrl', scriptUrl)}`, 'the script', retry),
        ]
      : [
          // `dhcp` is IPv4 alone.
          ...retried(
            'address',
            isIpv6 ? `ifconf --configurator ipv6 ${card} || dhcp ${card}` : `dhcp ${card}`,
            'DHCP',
            retry,
          ),
          ...retried('script', 'chain --autofree ${filename}', 'the script', retry),
        ]),
    'exit',
    ...failureLines(),
    '',
  ].join('\n');
}

function staticLines(card: string, { address, netmask, gateway, nameServers }: StaticNetwork): readonly string[] {
  const isIpv6 = address.includes(':');
  const names = isIpv6 ? ['ip6', 'len6', 'gateway6', 'dns6'] : ['ip', 'netmask', 'gateway', 'dns'];
  const values = [address, netmask, gateway, nameServers[0] ?? ''];
  const checked = isIpv6 ? ipv6Part : ipv4;
  return [
    ...names.flatMap((name, i) => {
      const value = values[i] ?? '';
      return value === '' ? [] : [`set ${card}/${name} ${checked(name, value)}`];
    }),
    `ifopen ${card} || goto failed`,
  ];
}

/** An address, or the length of a prefix. */
function ipv6Part(field: string, value: string): string {
  if (/^[0-9a-f:]{2,39}$/i.test(value)) return value;
  throw new UnsafeScriptValueError(field, value, 'it is no IPv6 address');
}

function ipv4(field: string, value: string): string {
  if (/^\d{1,3}(?:\.\d{1,3}){3}$/.test(value)) return value;
  throw new UnsafeScriptValueError(field, value, 'it is no IPv4 address');
}
