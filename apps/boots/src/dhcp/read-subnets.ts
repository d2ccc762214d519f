import { type AddressRange, JsonReader, numberOf, readDhcp6Options, readDhcpOptions, textOf } from '@tinkerbell/domain';
import type { HardwareDhcpOption } from '@tinkerbell/events';
import { checkPools6, isIpv6Entry, readSubnet6 } from '../dhcp6/read-subnet6';
import type { Subnet6 } from '../dhcp6/subnet6';
import { SettingFileError } from '../setting-file-error';
import { type ClientClass, readClassNames } from './client-class';
import { type DhcpMode, dhcpModes, type PooledSubnet, type Subnet, type SubnetOptions } from './dhcp-mode';
import { type PlacedFault, readYaml } from './yaml-text';

export interface SubnetFile {
  readonly classes: readonly ClientClass[];
  readonly subnets: readonly Subnet[];
  /** The IPv6 ones. */
  readonly subnets6: readonly Subnet6[];
}

/** The file says something that cannot be: each fault with its place, a line each. */
export class SubnetFileError extends SettingFileError {
  constructor(
    readonly file: string,
    readonly faults: readonly PlacedFault[],
  ) {
    const lines = faults.map(
      ({ path, message, line, column }) => `${file}:${line}:${column}: ${path === '' ? '' : `${path}: `}${message}`,
    );
    super(`BOOTS_DHCP_FILE cannot be used:\n${lines.join('\n')}`);
  }
}

/** Addresses of all pools together; each takes a byte of memory, leased or not. */
const maxAddresses = 2 ** 24;
const name = /^[A-Za-z0-9][A-Za-z0-9._/-]{0,62}$/;
const defaults = { leaseSeconds: 3600, quarantineSeconds: 86_400 };
const keys = {
  file: ['classes', 'subnets'],
  class: ['name', 'arch', 'vendorClass', 'userClass', 'oui', 'options', 'options6'],
  subnet: ['subnet', 'name', 'mode', 'sharedNetwork', 'discovery'],
  /** Where boots gives out addresses. */
  given: ['leaseSeconds', 'router', 'nameServers', 'timeServers', 'domain', 'domainSearch', 'routes', 'options'],
  pooled: ['pools', 'quarantineSeconds', 'identity', 'probe'],
  pool: ['name', 'ranges', 'exclude', 'classes'],
};

/** Throws SubnetFileError with everything that is wrong. `file`: its name, for people. */
export function readSubnets(text: string, file: string): SubnetFile {
  const yaml = readYaml(text);
  if (yaml.faults.length > 0) throw new SubnetFileError(file, yaml.faults);
  const reader = new Reading();
  const { classes, subnets } = reader.json.object(yaml.value, '', keys.file);
  // A file that is being written is empty for a moment, and no reason to forget every pool.
  if (classes === undefined && subnets === undefined) reader.json.fault('', 'names neither subnets nor classes');
  const known = reader.json.list(classes, 'classes', 256).map((item, i) => reader.class(item, `classes[${i}]`));
  reader.unique(known, 'classes');
  const names = new Set(known.map((one) => one.name));
  const items = reader.json
    .list(subnets, 'subnets', 4096)
    .map((item, i) => ({ item, path: `subnets[${i}]`, isIpv6: isIpv6Entry(item) }));
  const found = items.flatMap(({ item, path, isIpv6 }) => (isIpv6 ? [] : [reader.subnet(item, path, names)]));
  const found6 = items.flatMap(({ item, path, isIpv6 }) =>
    isIpv6 ? [readSubnet6(reader.json, item, path, names)] : [],
  );
  reader.unique([...found, ...found6], 'subnets');
  reader.checkTogether(found);
  reader.unique(
    found6.flatMap(({ pools }) => pools),
    'pools',
  );
  checkPools6(reader.json, found6);
  // Two keys are short forms of options, and read as such.
  const named = (path: string) => path.replace(/\.(domainSearch|routes)\[0\]\.value/, '.$1');
  const faults = reader.json.faults.map(({ path, message }) => {
    return { path: named(path), message, ...yaml.place(named(path)) };
  });
  if (faults.length > 0)
    throw new SubnetFileError(
      file,
      faults.toSorted((a, b) => a.line - b.line),
    );
  return { classes: known, subnets: found, subnets6: found6 };
}

interface Around {
  readonly called: string;
  readonly address: string;
  readonly prefix: number;
  readonly classes: ReadonlySet<string>;
  /** Else what is said about its addresses means nothing. */
  readonly isNetwork: boolean;
}

class Reading {
  readonly json = new JsonReader();

  class(item: unknown, path: string): ClientClass {
    const fields = this.json.object(item, path, keys.class);
    const text = (key: string, form: RegExp, what: string) =>
      this.json
        .list(fields[key], `${path}.${key}`, 256)
        .map((value, i) => this.form(value, `${path}.${key}[${i}]`, form, what));
    return {
      name: this.form(fields['name'], `${path}.name`, name, 'a name'),
      arch: this.json
        .list(fields['arch'], `${path}.arch`, 256)
        .flatMap((value, i) => this.json.integer(value, `${path}.arch[${i}]`, 0, 0xffff) ?? []),
      vendorClass: text('vendorClass', /^[\x20-\x7e]+$/, 'printable ASCII'),
      userClass: text('userClass', /^[\x20-\x7e]+$/, 'printable ASCII'),
      oui: text('oui', /^[0-9a-f]{2}([:-][0-9a-f]{2}){0,5}$/i, 'the beginning of a MAC address').map((start) =>
        start.toLowerCase().replaceAll(':', '-'),
      ),
      options: readDhcpOptions(this.json, fields['options'], `${path}.options`),
      options6: readDhcp6Options(this.json, fields['options6'], `${path}.options6`),
    };
  }

  subnet(item: unknown, path: string, classes: ReadonlySet<string>): Subnet {
    const fields = this.json.object(item, path, [...keys.subnet, ...keys.given, ...keys.pooled]);
    const cidr = this.form(
      fields['subnet'],
      `${path}.subnet`,
      /^(\d{1,3}\.){3}\d{1,3}\/\d{1,2}$/,
      'a network like 10.1.0.0/16',
    );
    const [address = '', length = ''] = cidr.split('/');
    const prefix = Number(length);
    const isNetwork = cidr !== '' && this.checkNetwork(address, prefix, `${path}.subnet`);
    const called = this.json.form(fields['name'], `${path}.name`, name, 'a name') || cidr;
    const mode = this.json.text(fields['mode'], `${path}.mode`) || 'pool';
    if (!isMode(mode))
      this.json.fault(`${path}.mode`, `must be one of ${dhcpModes.join(', ')}, got ${JSON.stringify(mode)}`);
    const network = this.json.form(fields['sharedNetwork'], `${path}.sharedNetwork`, name, 'a name');
    const said = fields['discovery'] ?? undefined;
    const discovery = said === undefined ? undefined : this.json.boolean(said, `${path}.discovery`);
    if (mode === 'auto-proxy' && said === false) {
      this.json.fault(`${path}.discovery`, 'auto-proxy boots machines without a record; mode proxy leaves them alone');
    }
    this.checkUsed(fields, path, mode);
    const around = { called, address, prefix, classes, isNetwork };
    const given = mode === 'pool' || mode === 'reservation' ? this.given(fields, path, around) : undefined;
    return {
      ...{ name: called, address, prefix, mode: isMode(mode) ? mode : 'off' },
      ...(network === '' ? {} : { network }),
      ...(discovery === undefined ? {} : { discovery }),
      ...(given ? { given } : {}),
      ...(mode === 'pool' && given ? { pooled: this.pooled(fields, path, around, given) } : {}),
    };
  }

  /** What would have no effect is a mistake. */
  private checkUsed(fields: Readonly<Record<string, unknown>>, path: string, mode: string): void {
    const unused = (names: readonly string[], users: string) =>
      names
        .filter((key) => (fields[key] ?? undefined) !== undefined)
        .forEach((key) => this.json.fault(`${path}.${key}`, `mode ${mode} has no use for it; it is for ${users}`));
    if (mode === 'reservation') unused(keys.pooled, 'mode pool');
    if (mode === 'off' || mode === 'proxy' || mode === 'auto-proxy') {
      unused(keys.pooled, 'mode pool');
      unused(keys.given, 'modes pool and reservation');
    }
  }

  /** What no subnet can know by itself. */
  checkTogether(subnets: readonly Subnet[]): void {
    const pools = subnets.flatMap(({ pooled }) => pooled?.pools ?? []);
    this.unique(pools, 'pools');
    subnets.forEach(({ address, prefix, name: other }, i) => {
      const first = subnets.findIndex((subnet) => subnet.address === address && subnet.prefix === prefix);
      // By the same name it was told of already.
      if (address !== '' && first < i && subnets[first]?.name !== other)
        this.json.fault(`subnets[${i}].subnet`, `${address}/${prefix} is also at subnets[${first}]`);
    });
    const size = pools.reduce((sum, pool) => sum + sizeOf(pool.ranges), 0);
    if (size > maxAddresses)
      this.json.fault('subnets', `their pools have ${size} addresses, more than ${maxAddresses}`);
    const all = pools
      .flatMap((pool) => pool.ranges.map((range) => ({ pool: pool.name, range })))
      .sort((a, b) => a.range[0] - b.range[0]);
    all.forEach(({ pool, range }, i) => {
      const before = all[i - 1];
      if (before && before.range[1] >= range[0]) {
        this.json.fault('subnets', `${textOf(range[0])} is in pool ${before.pool} and in pool ${pool}`);
      }
    });
  }

  unique(items: readonly { readonly name: string }[], path: string): void {
    const seen = new Set<string>();
    for (const item of items) {
      if (item.name !== '' && seen.has(item.name)) this.json.fault(path, `${item.name} is there twice`);
      seen.add(item.name);
    }
  }

  private checkNetwork(address: string, prefix: number, path: string): boolean {
    const number = numberOf(address);
    if (address.split('.').some((part) => Number(part) > 255) || prefix > 32) {
      this.json.fault(path, `${address}/${prefix} is not a network`);
      return false;
    }
    if (number % 2 ** (32 - prefix) !== 0) {
      const first = textOf(number - (number % 2 ** (32 - prefix)));
      this.json.fault(
        path,
        `${address}/${prefix} does not begin at a network's first address; did you mean ${first}/${prefix}?`,
      );
    }
    return true;
  }

  private given(fields: Readonly<Record<string, unknown>>, path: string, subnet: Around): SubnetOptions {
    const leaseSeconds = this.json.integer(fields['leaseSeconds'], `${path}.leaseSeconds`, 60, 0x7fff_ffff);
    const router = this.address(fields['router'], `${path}.router`);
    if (router !== '' && subnet.isNetwork && !isIn(numberOf(router), subnet)) {
      this.json.fault(`${path}.router`, `${router} is not in ${subnet.address}/${subnet.prefix}`);
    }
    return {
      ...(leaseSeconds === undefined ? {} : { leaseSeconds }),
      router,
      nameServers: this.addresses(fields['nameServers'], `${path}.nameServers`),
      timeServers: this.addresses(fields['timeServers'], `${path}.timeServers`),
      domain: this.json.form(fields['domain'], `${path}.domain`, /^[a-z0-9._-]+$/i, 'a domain name'),
      options: [
        ...this.option(119, 'domains', fields['domainSearch'], `${path}.domainSearch`),
        ...this.option(121, 'routes', fields['routes'], `${path}.routes`),
        ...readDhcpOptions(this.json, fields['options'], `${path}.options`),
      ],
    };
  }

  private pooled(
    fields: Readonly<Record<string, unknown>>,
    path: string,
    subnet: Around,
    given: SubnetOptions,
  ): PooledSubnet {
    const identity = this.json.text(fields['identity'], `${path}.identity`) || 'client-id';
    if (identity !== 'client-id' && identity !== 'mac') {
      this.json.fault(`${path}.identity`, `must be client-id or mac, got ${JSON.stringify(identity)}`);
    }
    const quarantine = fields['quarantineSeconds'];
    return {
      ...given,
      pools: this.pools(fields['pools'], `${path}.pools`, subnet, given.router),
      leaseSeconds: given.leaseSeconds ?? defaults.leaseSeconds,
      quarantineSeconds:
        this.json.integer(quarantine, `${path}.quarantineSeconds`, 0, 0x7fff_ffff) ?? defaults.quarantineSeconds,
      identity: identity === 'mac' ? 'mac' : 'client-id',
      probe: fields['probe'] === undefined ? true : this.json.boolean(fields['probe'], `${path}.probe`),
    };
  }

  private option(
    code: number,
    type: HardwareDhcpOption['type'],
    value: unknown,
    path: string,
  ): readonly HardwareDhcpOption[] {
    return value === undefined || value === null ? [] : readDhcpOptions(this.json, [{ code, type, value }], path);
  }

  private pools(value: unknown, path: string, subnet: Around, router: string): PooledSubnet['pools'] {
    const items = this.json.list(value, path, 1024);
    if (items.length === 0) this.json.fault(path, 'a subnet of mode pool needs at least one pool');
    return items.map((item, i) => {
      const at = `${path}[${i}]`;
      const fields = this.json.object(item, at, keys.pool);
      const usual = i === 0 ? subnet.called : `${subnet.called}-${i + 1}`;
      const classes = readClassNames(this.json, fields['classes'], `${at}.classes`, subnet.classes);
      const exclude = this.ranges(fields['exclude'], `${at}.exclude`, subnet);
      const own = router === '' ? [] : [[numberOf(router), numberOf(router)] as const];
      const before = this.json.faults.length;
      const ranges = without(this.ranges(fields['ranges'], `${at}.ranges`, subnet), [...exclude, ...own]);
      if (ranges.length === 0 && this.json.faults.length === before)
        this.json.fault(`${at}.ranges`, 'there is no address in it');
      return {
        name: this.json.form(fields['name'], `${at}.name`, name, 'a name') || usual,
        ...{ subnet: subnet.called, ranges, classes },
      };
    });
  }

  private ranges(value: unknown, path: string, subnet: Around): readonly AddressRange[] {
    return this.json.list(value, path, 4096).flatMap((item, i) => {
      const at = `${path}[${i}]`;
      const text = this.form(item, at, /^[\d.]+( ?- ?[\d.]+)?$/, 'a range like 10.1.0.100-10.1.0.199, or an address');
      const [first = '', last = first] = text.split('-').map((part) => part.trim());
      if (text === '') return [];
      const ends = [...new Set([first, last])].map((end) => this.address(end, at));
      if (ends.includes('')) return [];
      const range = [numberOf(first), numberOf(last)] as const;
      if (range[0] > range[1]) this.json.fault(at, `${first} comes after ${last}`);
      const outside = [first, last].find((end) => !isUsable(numberOf(end), subnet));
      if (subnet.isNetwork && outside !== undefined) {
        this.json.fault(at, `${outside} is not an address of a machine in ${subnet.address}/${subnet.prefix}`);
      }
      return [range];
    });
  }

  private address(value: unknown, path: string): string {
    const ip = this.json.ip(value, path);
    if (ip?.family === 6) this.json.fault(path, `${ip.address} is not an IPv4 address`);
    return ip?.address ?? '';
  }

  private addresses(value: unknown, path: string): readonly string[] {
    return this.json.list(value, path, 16).map((item, i) => this.address(item, `${path}[${i}]`));
  }

  /** As the reader's, and not empty. */
  private form(value: unknown, path: string, form: RegExp, what: string): string {
    const text = this.json.form(value, path, form, what);
    if (value === undefined || value === null || value === '') this.json.fault(path, `is missing: ${what}`);
    return text;
  }
}

function isMode(text: string): text is DhcpMode {
  return dhcpModes.some((mode) => mode === text);
}

function isIn(number: number, { address, prefix }: { address: string; prefix: number }): boolean {
  const first = numberOf(address);
  return number >= first && number < first + 2 ** (32 - prefix);
}

/** Neither the network's own address nor its broadcast address. */
function isUsable(number: number, network: { address: string; prefix: number }): boolean {
  const first = numberOf(network.address);
  const size = 2 ** (32 - network.prefix);
  return isIn(number, network) && (size <= 2 || (number !== first && number !== first + size - 1));
}

function sizeOf(ranges: readonly AddressRange[]): number {
  return ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
}

/** In order, each address once, without the others. */
function without(ranges: readonly AddressRange[], others: readonly AddressRange[]): readonly AddressRange[] {
  return others
    .reduce<readonly AddressRange[]>(
      (left, [from, to]) =>
        left.flatMap(([first, last]): readonly AddressRange[] => {
          if (to < first || from > last) return [[first, last]];
          return [
            ...(from > first ? [[first, from - 1] as const] : []),
            ...(to < last ? [[to + 1, last] as const] : []),
          ];
        }),
      ranges,
    )
    .toSorted((a, b) => a[0] - b[0]);
}
