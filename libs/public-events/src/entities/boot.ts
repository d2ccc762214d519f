import { Type } from '@sinclair/typebox';
import type {
  BootEvent,
  BootFileServed,
  BootRequestFailed,
  BootScriptServed,
  MachineDiscovered,
  MachinePhonedHome,
  NetbootOffered,
  OsieStarted,
} from '@tinkerbell/events';
import { type Entries, mac, nullable, oneOf, published, seconds, time } from '../entry';

const booting = { hardwareId: Type.String({ description: "'' for a machine without a record." }), mac };

const disk = Type.Object({ name: Type.String(), bytes: Type.Integer(), model: Type.String(), serial: Type.String() });
const card = Type.Object({ name: Type.String(), mac, driver: Type.String(), link: Type.Boolean() });
const inventory = Type.Object(
  {
    ...{ vendor: Type.String(), product: Type.String(), serial: Type.String(), uuid: Type.String() },
    ...{ arch: Type.String(), cpuModel: Type.String(), cpus: Type.Integer(), memoryBytes: Type.Integer() },
    ...{ disks: Type.Array(disk), interfaces: Type.Array(card) },
  },
  { description: "In the machine's own words." },
);

export const boot = {
  NetbootOffered: published({
    name: 'netboot-offered',
    summary: 'A machine was told which file to boot from the network.',
    schema: Type.Object({
      ...booting,
      ip: Type.String(),
      arch: nullable(Type.Integer({ description: 'RFC 4578 §2.1.' })),
      client: oneOf(['PXEClient', 'HTTPClient', 'iPXE', 'BOOTP']),
      userClass: Type.String(),
      bootFile: Type.String(),
    }),
    map: ({ hardwareId, mac: id, ip, arch, client, userClass, bootFile }: NetbootOffered['data']) => ({
      ...{ hardwareId: hardwareId ?? '', mac: id, ip, arch, client, userClass, bootFile },
    }),
  }),
  BootFileServed: published({
    name: 'file-served',
    summary: 'A machine fetched a whole boot file.',
    schema: Type.Object({
      ...booting,
      address: Type.String({ description: 'Who fetched it.' }),
      protocol: oneOf(['tftp', 'http']),
      role: oneOf(['nbp', 'kernel', 'initramfs', 'rootfs', 'other']),
      file: Type.String(),
      bytes: Type.Integer(),
      seconds: seconds(),
    }),
    map: (data: BootFileServed['data']) => ({ ...data, hardwareId: data.hardwareId ?? '' }),
  }),
  BootScriptServed: published({
    name: 'script-served',
    summary: 'A machine fetched its boot script, or the configuration of its boot program.',
    schema: Type.Object({
      ...booting,
      script: oneOf(['osie', 'local', 'custom', 'rescue', 'discovery']),
      format: nullable(oneOf(['iPXE', 'PXELINUX', 'GRUB', 'Raspberry Pi'])),
    }),
    map: ({ hardwareId, mac: id, script, format }: BootScriptServed['data']) => ({
      hardwareId: hardwareId ?? '',
      mac: id,
      script,
      format,
    }),
  }),
  MachineDiscovered: published({
    name: 'machine-discovered',
    summary: 'The in-memory operating system told what the machine is made of.',
    schema: Type.Object({ hardwareId: nullable(Type.String()), mac, address: Type.String(), inventory }),
    map: (data: MachineDiscovered['data']) => data,
  }),
  OsieStarted: published({
    name: 'osie-started',
    summary: 'The in-memory operating system reached the network.',
    schema: Type.Object({ ...booting, uptimeSeconds: seconds('Since the kernel started.') }),
    map: (data: OsieStarted['data']) => ({ ...data, hardwareId: data.hardwareId ?? '' }),
  }),
  MachinePhonedHome: published({
    name: 'machine-phoned-home',
    summary: 'The installed system came up and called back.',
    schema: Type.Object(
      { ...booting, kind: Type.String(), address: Type.String() },
      { description: 'Without what the system sent.' },
    ),
    map: (data: MachinePhonedHome['data']) => data,
  }),
  BootRequestFailed: published({
    name: 'request-failed',
    summary: 'A machine asked for something on its way to boot and did not get it.',
    schema: Type.Object({
      hardwareId: nullable(Type.String({ description: 'Null for a machine that no record knows.' })),
      mac,
      protocol: oneOf(['dhcp', 'tftp', 'http']),
      reason: Type.String({ description: 'One word for each cause.' }),
      detail: Type.String(),
      source: Type.String({ description: 'Address that asked.' }),
      count: Type.Integer({ description: 'How many times since the event before.' }),
      firstAt: time(),
      lastAt: time(),
    }),
    map: (data: BootRequestFailed['data']) => data,
  }),
} satisfies Entries<BootEvent>;
