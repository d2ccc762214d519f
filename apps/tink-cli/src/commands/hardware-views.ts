import type { HardwareInterface, HardwareRecord } from '@tinkerbell/events';
import type { HardwareItem } from '../api-types';
import type { Context } from '../cli-command';
import { showMac, timeText, type Listing } from '../output/print';
import type { Column } from '../output/table';

interface InterfaceLine {
  readonly item: HardwareItem;
  readonly dhcp: HardwareInterface['dhcp'] | undefined;
  readonly netboot: HardwareInterface['netboot'] | undefined;
}

/** One line per interface, as the originals have it; a machine without any keeps one, so that it is not lost. */
export function interfaceLines(items: readonly HardwareItem[]): readonly InterfaceLine[] {
  return items.flatMap((item): readonly InterfaceLine[] => {
    const { interfaces } = item.hardware.network;
    if (interfaces.length === 0) return [{ item, dhcp: undefined, netboot: undefined }];
    return interfaces.map(({ dhcp, netboot }) => ({ item, dhcp, netboot }));
  });
}

export function hardwareListing(
  context: Context,
  items: readonly HardwareItem[],
  document: unknown,
): Listing<InterfaceLine> {
  const yes = (value: boolean | undefined) => (value === undefined ? '' : value ? 'yes' : 'no');
  const columns = (wide: boolean): readonly Column<InterfaceLine>[] => [
    { title: 'ID', text: ({ item }) => item.hardware.id },
    { title: 'MAC Address', text: ({ dhcp }) => showMac(dhcp?.mac ?? '') },
    { title: 'IP address', text: ({ dhcp }) => dhcp?.ip?.address ?? '' },
    { title: 'Hostname', text: ({ dhcp }) => dhcp?.hostname ?? '', shrinksTo: 12 },
    { title: 'Arch', text: ({ dhcp }) => dhcp?.arch ?? '', wideOnly: true },
    { title: 'UEFI', text: ({ dhcp }) => yes(dhcp?.uefi), wideOnly: true },
    { title: 'Netboot', text: ({ netboot }) => yes(netboot?.allow_pxe), wideOnly: true },
    { title: 'Workflow', text: ({ netboot }) => yes(netboot?.allow_workflow), wideOnly: true },
    { title: 'Updated At', text: ({ item }) => timeText(context, wide)(item.updatedAt), wideOnly: true },
  ];
  return { rows: interfaceLines(items), columns, document };
}

/** `tink hardware mac`, `tink hardware ip`: field by field, of the interface that was asked for. */
export function fieldListing(record: HardwareRecord, wanted: (line: HardwareInterface) => boolean): Listing<Field> {
  const rows = record.network.interfaces.filter(wanted).flatMap(({ dhcp }): readonly Field[] => [
    ['ID', record.id],
    ['MAC Address', showMac(dhcp.mac)],
    ['IP Address', dhcp.ip?.address ?? ''],
    ['Hostname', dhcp.hostname],
  ]);
  return { rows, columns: () => fieldColumns('Value'), document: record };
}

export type Field = readonly [name: string, value: string];
export const fieldColumns = (value: string): readonly Column<Field>[] => [
  { title: 'Field Name', text: ([name]) => name },
  { title: value, text: ([, text]) => text },
];
