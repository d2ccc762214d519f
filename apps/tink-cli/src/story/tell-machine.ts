import type {
  BootEvent,
  EnrolmentEvent,
  HardwareEvent,
  HardwareRecord,
  LeaseEvent,
  TemplateEvent,
} from '@tinkerbell/events';
import { showMac } from '../output/print';
import { took } from '../output/time';
import { bad, because, fine, good, size, type Tales } from './tales';

/** Machines on their way to a worker, and what they are made from. */
export const machineTales = {
  HardwareRegistered: ({ data }) => fine(`hardware registered: ${interfaces(data.hardware)}`),
  HardwareUpdated: ({ data }) => fine(`hardware changed: ${interfaces(data.hardware)}`),
  HardwareDeleted: () => fine('hardware deleted'),
  TemplateCreated: ({ data }) => fine(`template ${data.name} created`),
  TemplateUpdated: ({ data }) => fine(`template ${data.name} changed`),
  TemplateDeleted: () => fine('template deleted'),
  EnrolmentTokenIssued: ({ data }) => fine(`one-time token issued, good until ${data.expiresAt}`),
  WorkerEnrolled: ({ data }) =>
    fine(`worker enrolled from ${data.address}: one-time token exchanged for a credential of its own`),
  WorkerReady: ({ data: { hostname, engine, node, memoryBytes } }) =>
    fine(`worker ready: ${hostname}, ${engine}, node ${node}, ${Math.round(memoryBytes / 2 ** 20)} MiB of memory`),
  LeaseBound: ({ data: { ip, mac, leaseSeconds, giaddr } }) =>
    fine(
      `DHCP lease: ${ip} for ${showMac(mac)}, ${took(leaseSeconds)}${giaddr === null ? '' : `, through relay ${giaddr}`}`,
    ),
  LeaseRenewed: ({ data }) => fine(`DHCP lease renewed: ${data.ip} for ${showMac(data.mac)} (${data.clientState})`),
  LeaseReleased: ({ data }) => fine(`DHCP lease released: ${data.ip} by ${showMac(data.mac)}`),
  LeaseDeclined: ({ data }) =>
    bad(`DHCP lease declined: ${data.ip} is in use, says ${showMac(data.mac)}${because(data.message)}`),
  LeaseRefused: ({ data }) => bad(`DHCP refused ${data.requested} to ${showMac(data.mac)}${because(data.reason)}`),
  NetbootOffered: ({ data: { bootFile, client, arch } }) =>
    fine(`boot file offered: ${bootFile} (${client}${arch === null ? '' : `, architecture ${arch}`})`),
  BootFileServed: ({ data: { role, file, bytes, protocol, seconds } }) =>
    fine(`${role} served: ${file}, ${size(bytes)} by ${protocol.toUpperCase()} in ${took(seconds)}`),
  BootScriptServed: ({ data }) => fine(bootScripts[data.script]),
  OsieStarted: ({ data }) => fine(`in-memory OS is up, ${took(data.uptimeSeconds)} after its kernel started`),
  MachinePhonedHome: ({ data }) => {
    const body = data.body.trim().slice(0, 120);
    return good(`installed system phoned home from ${data.address}${body === '' ? '' : `: ${body}`}`);
  },
} as const satisfies Tales<HardwareEvent | TemplateEvent | EnrolmentEvent | LeaseEvent | BootEvent>;

const bootScripts = {
  osie: 'iPXE script served: boot the in-memory OS',
  local: 'iPXE script served: boot your own disk',
  custom: "iPXE script served: the machine's own",
} as const;

function interfaces({ network }: HardwareRecord): string {
  const each = network.interfaces.map(({ dhcp }) =>
    [dhcp.hostname, showMac(dhcp.mac), dhcp.ip?.address ?? ''].filter((part) => part !== '').join(' '),
  );
  return each.join(', ') || 'no interfaces';
}
