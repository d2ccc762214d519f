import type { HardwareInterface, HardwareRecord, JsonObject } from '@tinkerbell/events';
import { formatMac } from '../address/mac';
import { InvalidDocumentError } from '../errors';
import { isObject, JsonReader, kindOf } from '../json-reader';
import { leastKernelLine, longestKernelLine } from './kernel-line';
import { readDhcp, readNetboot } from './read-interface';

/** Bytes of UTF-8 of the whole record as JSON; a commit must fit into one message of the log. */
export const maxHardwareBytes = 524_288;
const maxDepth = 64;
const uuid = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
/** What only the flat model of old ("cacher") has at the top. */
const flatKeys = [
  'arch',
  'efi_boot',
  'allow_pxe',
  'allow_workflow',
  'ip_addresses',
  'network_ports',
  'instance',
  'plan_slug',
];

/**
 * The hardware JSON that users push: an object or its text. MACs become `aa-bb-…`, absent parts get their defaults (lease of 2 days,
 * x86_64, no netboot). Throws InvalidDocumentError with one fault per thing that is wrong.
 */
export function parseHardware(input: unknown): HardwareRecord {
  const reader = new JsonReader();
  const value = typeof input === 'string' ? jsonOf(reader, input, '') : input;
  const record = reader.faults.length > 0 ? undefined : readRecord(reader, value);
  if (!record || reader.faults.length > 0) throw new InvalidDocumentError('hardware', reader.faults);
  return record;
}

function readRecord(reader: JsonReader, value: unknown): HardwareRecord | undefined {
  if (!isObject(value)) {
    reader.fault('', `hardware must be a JSON object, got ${value === undefined ? 'nothing' : kindOf(value)}`);
    return undefined;
  }
  const size = measure(reader, value);
  if (size === undefined) return undefined;
  if (size > maxHardwareBytes) {
    reader.fault('', `hardware is ${size} bytes, more than ${maxHardwareBytes}`);
    return undefined;
  }
  if (value['network'] === undefined && flatKeys.some((key) => key in value)) {
    reader.fault(
      '',
      'this is the flat (cacher) hardware model, which is not accepted: give id, metadata and network.interfaces[].{dhcp,netboot}',
    );
    return undefined;
  }
  const fields = reader.object(value, '', ['id', 'version', 'metadata', 'network']);
  const id = readId(reader, fields['id']);
  const version = reader.integer(fields['version'], 'version', 0, Number.MAX_SAFE_INTEGER) ?? 0;
  const metadata = readMetadata(reader, fields['metadata']);
  const network = reader.object(fields['network'], 'network', ['interfaces']);
  const interfaces = reader
    .list(network['interfaces'], 'network.interfaces', 64)
    .flatMap((item, index) => readInterface(reader, item, `network.interfaces[${index}]`) ?? []);
  refuseDuplicates(reader, interfaces);
  for (const { path, value: read } of interfaces) refuseLongKernelLine(reader, id, read, path);
  return { id, version, metadata, network: { interfaces: interfaces.map(({ value: read }) => read) } };
}

function readId(reader: JsonReader, value: unknown): string {
  if (typeof value === 'string' && uuid.test(value)) return value.toLowerCase();
  const got = value === undefined || value === null ? '' : typeof value === 'string' ? value : JSON.stringify(value);
  reader.fault('id', `id must be set to a UUID, got id: ${got.slice(0, 100)}`);
  return '';
}

/** An object, or a string that holds one, which is how gRPC carries it. */
function readMetadata(reader: JsonReader, value: unknown): JsonObject {
  if (value === undefined || value === null || value === '') return {};
  const parsed = typeof value === 'string' ? jsonOf(reader, value, 'metadata') : value;
  if (parsed === undefined || parsed === null) return {};
  if (isJsonObject(parsed)) {
    // What came as a string has not been looked at yet.
    if (typeof value === 'string') measure(reader, parsed, 'metadata');
    return parsed;
  }
  reader.fault('metadata', `must be a JSON object or a string that holds one, got ${kindOf(parsed)}`);
  return {};
}

interface Placed {
  readonly path: string;
  readonly value: HardwareInterface;
}

/** null, and an interface that says nothing, are skipped as the original does. */
function readInterface(reader: JsonReader, item: unknown, path: string): Placed | undefined {
  const fields = reader.object(item, path, ['dhcp', 'netboot']);
  const [dhcp, netboot] = [fields['dhcp'], fields['netboot']];
  if (dhcp === undefined || dhcp === null) {
    if (netboot !== undefined && netboot !== null)
      reader.fault(`${path}.dhcp`, 'is required: netboot belongs to a MAC');
    return undefined;
  }
  if (!isObject(dhcp)) {
    reader.fault(`${path}.dhcp`, `must be an object, got ${kindOf(dhcp)}`);
    return undefined;
  }
  return {
    path,
    value: { dhcp: readDhcp(reader, dhcp, `${path}.dhcp`), netboot: readNetboot(reader, netboot, `${path}.netboot`) },
  };
}

function refuseLongKernelLine(reader: JsonReader, id: string, value: HardwareInterface, path: string): void {
  const length = leastKernelLine(id, value);
  if (length <= longestKernelLine) return;
  const why = `the kernel command line would have at least ${length} characters, with what boots adds, and ${longestKernelLine} fit`;
  reader.fault(`${path}.netboot.osie.kernel_params`, why);
}

function refuseDuplicates(reader: JsonReader, interfaces: readonly Placed[]): void {
  const macs = new Map<string, string>();
  const addresses = new Map<string, string>();
  for (const { path, value } of interfaces) {
    const { mac, ip } = value.dhcp;
    const twin = macs.get(mac);
    if (twin !== undefined) reader.fault(`${path}.dhcp.mac`, `MAC address ${formatMac(mac)} is also at ${twin}`);
    else if (mac !== '') macs.set(mac, `${path}.dhcp.mac`);
    if (ip === null) continue;
    const other = addresses.get(ip.address);
    if (other !== undefined) reader.fault(`${path}.dhcp.ip.address`, `IP address ${ip.address} is also at ${other}`);
    else addresses.set(ip.address, `${path}.dhcp.ip.address`);
  }
}

function jsonOf(reader: JsonReader, text: string, path: string): unknown {
  if (text.length > maxHardwareBytes) {
    reader.fault(path, `is ${text.length} characters long, more than ${maxHardwareBytes}`);
    return undefined;
  }
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    reader.fault(path, `is not JSON: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

/** Bytes as JSON; undefined, with a fault, when the value is no JSON or too deep to walk. */
function measure(reader: JsonReader, root: unknown, at = ''): number | undefined {
  const open: { readonly value: unknown; readonly path: string; readonly depth: number }[] = [
    { value: root, path: at, depth: 0 },
  ];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value, path, depth } = next;
    const type = typeof value;
    if (value === null || type === 'string' || type === 'boolean' || (type === 'number' && Number.isFinite(value)))
      continue;
    if (type !== 'object' || depth > maxDepth) {
      reader.fault(
        path,
        depth > maxDepth ? `is nested deeper than ${maxDepth}` : `${String(value)} is not a JSON value`,
      );
      return undefined;
    }
    const isList = Array.isArray(value);
    for (const [key, item] of Object.entries(value as object)) {
      if (item === undefined && !isList) continue;
      const dotted = path === '' ? key : `${path}.${key}`;
      open.push({ value: item, path: isList ? `${path}[${key}]` : dotted, depth: depth + 1 });
    }
  }
  return new TextEncoder().encode(JSON.stringify(root)).length;
}

function isJsonObject(value: unknown): value is JsonObject {
  return isObject(value);
}
