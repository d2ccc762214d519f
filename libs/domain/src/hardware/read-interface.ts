import type { HardwareDhcp, HardwareIp, HardwareNetboot } from '@tinkerbell/events';
import { parseIpv4, prefixLength } from '@tinkerbell/bytes';
import { parseMac } from '../address/mac';
import type { JsonReader } from '../json-reader';
import { readDhcp6Options } from './read-dhcp6-options';
import { readDhcpOptions } from './read-dhcp-options';

/** 2 days, what the original leases for when the hardware says nothing. */
const defaultLeaseSeconds = 172_800;
const hostname = /^(?=.{1,253}$)[a-z0-9_](?:[a-z0-9_-]{0,62}(?<!-))?(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}(?<!-))?)*\.?$/i;
const word = /^[\w.+-]+$/;
/** As boots has its boot programs in one folder. */
const program = /^[a-z0-9][\w.-]{0,127}$/i;
/** A file below the root that boots serves from, as a boot script can name it: no way up, nothing that GRUB or iPXE would take for their own. */
const filePattern = String.raw`(?![-/])(?!(?:[^,]*/)?\.\.(?:[/,]|$))[\w.+~@%=:/-]+(?<!/)`;
const file = new RegExp(`^${filePattern}$`);
const files = new RegExp(`^${filePattern}(?:,${filePattern})*$`);
/** One word of a kernel command line, and of the iPXE or GRUB script that it stands in. */
const kernelWord = /^(?!#|--$|\|\|$|&&$|;$)(?!.*\$\{)[!#-&(-[\]-_a-~]+$/;
const consoleName = /^tty[A-Za-z0-9]{1,16}(?:,\d{1,7}[noe]?\d?r?)?$/;
const httpUrl = /^https?:\/\/(?![/?#])(?!.*\$\{)[!#-&(-[\]-_a-~]+$/i;
/** iPXE puts its own settings in: `${net0/mac}`. */
const scriptUrl = /^(?:https?|tftp):\/\/(?![/?#])[!-~]+$/i;
/** Of a word in a boot script. */
const longestUrl = 1024;

export function readDhcp(reader: JsonReader, value: unknown, path: string): HardwareDhcp {
  const fields = reader.object(value, path, [
    'mac',
    'hostname',
    'lease_time',
    'name_servers',
    'time_servers',
    'arch',
    'uefi',
    'iface_name',
    'domain_name',
    'ip',
    'options',
    'options6',
    'vlan_id',
  ]);
  const servers = (key: 'name_servers' | 'time_servers') =>
    reader.list(fields[key], `${path}.${key}`, 16).flatMap((item, index) => {
      const at = `${path}.${key}[${index}]`;
      if (item === null || item === '') reader.fault(at, 'is empty');
      return reader.ip(item, at)?.address ?? [];
    });
  return {
    mac: readMac(reader, fields['mac'], `${path}.mac`),
    hostname: reader.form(fields['hostname'], `${path}.hostname`, hostname, 'a host name'),
    lease_time: reader.integer(fields['lease_time'], `${path}.lease_time`, 0, 0xffffffff) || defaultLeaseSeconds,
    name_servers: servers('name_servers'),
    time_servers: servers('time_servers'),
    arch: reader.form(fields['arch'], `${path}.arch`, word, 'an architecture such as x86_64') || 'x86_64',
    uefi: reader.boolean(fields['uefi'], `${path}.uefi`),
    iface_name: reader.form(fields['iface_name'], `${path}.iface_name`, /^[^\s/]+$/, 'an interface name'),
    domain_name: reader.form(fields['domain_name'], `${path}.domain_name`, hostname, 'a domain name'),
    ip: readIp(reader, fields['ip'], `${path}.ip`),
    options: readDhcpOptions(reader, fields['options'], `${path}.options`),
    options6: readDhcp6Options(reader, fields['options6'], `${path}.options6`),
    vlan_id: reader.integer(fields['vlan_id'], `${path}.vlan_id`, 0, 4094) ?? 0,
  };
}

export function readNetboot(reader: JsonReader, value: unknown, path: string): HardwareNetboot {
  const fields = reader.object(value, path, ['allow_pxe', 'allow_workflow', 'ipxe', 'osie', 'rescue']);
  const ipxe = reader.object(fields['ipxe'], `${path}.ipxe`, ['url', 'contents', 'binary']);
  const osie = reader.object(fields['osie'], `${path}.osie`, [
    'base_url',
    'kernel',
    'initrd',
    'kernel_params',
    'console',
  ]);
  return {
    allow_pxe: reader.boolean(fields['allow_pxe'], `${path}.allow_pxe`),
    allow_workflow: reader.boolean(fields['allow_workflow'], `${path}.allow_workflow`),
    ipxe: {
      url: reader.form(ipxe['url'], `${path}.ipxe.url`, scriptUrl, 'an http, https or tftp URL', longestUrl),
      contents: reader.text(ipxe['contents'], `${path}.ipxe.contents`, { max: 65_536, multiline: true }),
      binary: reader.form(ipxe['binary'], `${path}.ipxe.binary`, program, 'the name of a file to serve'),
    },
    osie: {
      base_url: reader.form(osie['base_url'], `${path}.osie.base_url`, httpUrl, 'an http or https URL', longestUrl),
      kernel: reader.form(osie['kernel'], `${path}.osie.kernel`, file, 'the name of a file to serve'),
      initrd: reader.form(osie['initrd'], `${path}.osie.initrd`, files, 'the name of a file to serve', 1024),
      kernel_params: readWords(reader, osie['kernel_params'], `${path}.osie.kernel_params`),
      console: reader.form(osie['console'], `${path}.osie.console`, consoleName, 'a console such as ttyS1,115200'),
    },
    rescue: reader.boolean(fields['rescue'], `${path}.rescue`),
  };
}

function readWords(reader: JsonReader, value: unknown, path: string): readonly string[] {
  return reader.list(value, path, 64).map((item, index) => {
    const at = `${path}[${index}]`;
    if (item === null || item === '') reader.fault(at, 'is empty');
    return reader.form(item, at, kernelWord, 'one kernel argument: no spaces, quotes, backslashes or "${"');
  });
}

function readMac(reader: JsonReader, value: unknown, path: string): string {
  const before = reader.faults.length;
  const text = reader.text(value, path);
  if (reader.faults.length > before) return '';
  const mac = parseMac(text);
  if (text === '') reader.fault(path, 'is required');
  else if (mac === undefined)
    reader.fault(path, `${JSON.stringify(text)} is not a MAC address such as 52:54:00:12:34:56`);
  else if (/^(?:00-){5}00$|^(?:ff-){5}ff$/.test(mac)) reader.fault(path, `${text} is not the address of one machine`);
  else return mac;
  return '';
}

/** null when the interface has no reservation. */
function readIp(reader: JsonReader, value: unknown, path: string): HardwareIp | null {
  const before = reader.faults.length;
  const fields = reader.object(value, path, ['address', 'netmask', 'gateway', 'family']);
  const said = reader.integer(fields['family'], `${path}.family`, 0, 6);
  const ip = reader.ip(fields['address'], `${path}.address`);
  const gateway = reader.ip(fields['gateway'], `${path}.gateway`);
  const netmask = reader.text(fields['netmask'], `${path}.netmask`);
  if (ip === undefined) {
    const isWhole = reader.faults.length === before;
    if (isWhole && (gateway !== undefined || netmask !== '')) reader.fault(`${path}.address`, 'is required');
    return null;
  }
  const { family, address } = ip;
  // 0 is what a client sends that leaves the family out.
  if (said !== undefined && said !== 0 && said !== family) {
    reader.fault(`${path}.family`, `must be ${family}, the family of ${address}, got ${said}`);
  }
  if (gateway && gateway.family !== family) {
    reader.fault(`${path}.gateway`, `${gateway.address} is not of the family of ${address}`);
  }
  if (family === 4) checkIpv4(reader, path, address, netmask);
  else if (netmask !== '' && reader.ip(netmask, `${path}.netmask`)?.family === 4) {
    reader.fault(`${path}.netmask`, `${netmask} is not a netmask for ${address}`);
  }
  return { address, netmask, gateway: gateway?.address ?? '', family };
}

function checkIpv4(reader: JsonReader, path: string, address: string, netmask: string): void {
  const value = parseIpv4(address) ?? 0;
  const first = Math.floor(value / 2 ** 24);
  if (first === 0 || first === 127 || first >= 224) {
    reader.fault(`${path}.address`, `${address} cannot be the address of a machine`);
    return;
  }
  if (netmask === '') {
    reader.fault(`${path}.netmask`, 'is required');
    return;
  }
  const prefix = prefixLength(netmask);
  if (prefix === undefined || prefix === 0) {
    reader.fault(`${path}.netmask`, `${JSON.stringify(netmask)} is not a netmask such as 255.255.255.0`);
    return;
  }
  const hosts = 2 ** (32 - prefix);
  // RFC 3021: a network of two addresses has neither of the two special ones.
  if (prefix < 31 && (value % hosts === 0 || value % hosts === hosts - 1)) {
    const which = value % hosts === 0 ? 'network' : 'broadcast';
    reader.fault(`${path}.address`, `${address} is the ${which} address of its network (netmask ${netmask})`);
  }
}
