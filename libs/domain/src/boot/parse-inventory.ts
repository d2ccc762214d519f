import type { Inventory } from '@tinkerbell/events';
import { parseMac } from '../address/mac';
import { InvalidDocumentError } from '../errors';
import { JsonReader } from '../json-reader';

const most = Number.MAX_SAFE_INTEGER;

/**
 * What the in-memory OS found in a machine. The texts come from firmware: they are kept without control characters, cut to 128, and never
 * become part of a script. Throws InvalidDocumentError with one fault per thing that is wrong.
 */
export function parseInventory(input: unknown): Inventory {
  const reader = new JsonReader();
  const fields = reader.object(input, '', [...texts, 'cpus', 'memoryBytes', 'disks', 'interfaces']);
  const said = (value: unknown, path: string) => firmwareText(reader, value, path);
  const size = (value: unknown, path: string) => reader.integer(value, path, 0, most) ?? 0;
  const [vendor, product, serial, uuid, arch, cpuModel] = texts.map((key) => said(fields[key], key));
  const inventory: Inventory = {
    ...{ vendor: vendor ?? '', product: product ?? '', serial: serial ?? '' },
    ...{ uuid: uuid ?? '', arch: arch ?? '', cpuModel: cpuModel ?? '' },
    cpus: reader.integer(fields['cpus'], 'cpus', 0, 65_536) ?? 0,
    memoryBytes: size(fields['memoryBytes'], 'memoryBytes'),
    disks: reader.list(fields['disks'], 'disks', 256).map((item, i) => {
      const disk = reader.object(item, `disks[${i}]`, ['name', 'bytes', 'model', 'serial']);
      const text = (key: string) => said(disk[key], `disks[${i}].${key}`);
      return {
        name: text('name'),
        bytes: size(disk['bytes'], `disks[${i}].bytes`),
        model: text('model'),
        serial: text('serial'),
      };
    }),
    interfaces: reader.list(fields['interfaces'], 'interfaces', 256).map((item, i) => {
      const path = `interfaces[${i}]`;
      const card = reader.object(item, path, ['name', 'mac', 'driver', 'link']);
      const mac = parseMac(reader.text(card['mac'], `${path}.mac`));
      if (mac === undefined) reader.fault(`${path}.mac`, 'is not a MAC address');
      const [name, driver] = [said(card['name'], `${path}.name`), said(card['driver'], `${path}.driver`)];
      return { name, mac: mac ?? '', driver, link: reader.boolean(card['link'], `${path}.link`) };
    }),
  };
  if (reader.faults.length > 0) throw new InvalidDocumentError('inventory', reader.faults);
  return inventory;
}

const texts = ['vendor', 'product', 'serial', 'uuid', 'arch', 'cpuModel'] as const;

function firmwareText(reader: JsonReader, value: unknown, path: string): string {
  // Escape sequences would reach an operator's terminal.
  return reader
    .text(value, path, { max: 4096, multiline: true })
    .replace(/[\p{Cc}\p{Cf}]/gu, '')
    .trim()
    .slice(0, 128);
}
