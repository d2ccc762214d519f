import { formatMac } from '@tinkerbell/domain';
import type {
  BootEvent,
  BootScriptFormat,
  DhcpServiceEvent,
  EnrolmentEvent,
  HardwareEvent,
  HardwareRecord,
  LeaseEvent,
  TemplateEvent,
} from '@tinkerbell/events';
import { took } from '../duration-text';
import { failedText, wasServed } from '../failed-requests';
import { leaseSentences } from './tell-lease';
import { active, because, good, neutral, size, warn, type Sentences } from './told';

/** Machines on their way to a worker, and what they are made from. */
export const machineSentences = {
  HardwareRegistered: ({ data }, { by }) => neutral(`hardware registered ${by}: ${interfaces(data.hardware)}`),
  HardwareUpdated: ({ data }, { by }) => neutral(`hardware changed ${by}: ${interfaces(data.hardware)}`),
  HardwareDeleted: (_, { by }) => neutral(`hardware deleted ${by}: the machine gets no answer any more`),
  TemplateCreated: ({ data }, { by, version }) => neutral(`template ${data.name} created ${by}, version ${version}`),
  TemplateUpdated: ({ data }, { by, version }) => neutral(`template ${data.name} changed ${by}, version ${version}`),
  TemplateDeleted: (_, { by }) => neutral(`template deleted ${by}`),
  EnrolmentTokenIssued: ({ data }) => neutral(`one-time token issued for its worker, good until ${data.expiresAt}`),
  WorkerEnrolled: ({ data }) =>
    neutral(`worker enrolled from ${data.address}: one-time token exchanged for a credential of its own`),
  WorkerCredentialRenewed: ({ data }) =>
    neutral(`worker's credential renewed from ${data.address}, good until ${data.expiresAt}`),
  WorkerReady: ({ data: { hostname, engine, kernel, node, memoryBytes } }) =>
    active(
      `worker ready: ${hostname}, ${engine}, kernel ${kernel}, node ${node}, ${Math.round(memoryBytes / 2 ** 20)} MiB of memory`,
    ),
  ...leaseSentences,
  NetbootOffered: ({ data: { bootFile, client, arch } }) =>
    neutral(`boot file offered: ${bootFile} (${client}${arch === null ? '' : `, architecture ${arch}`})`),
  BootFileServed: ({ data: { role, file, bytes, protocol, seconds } }) =>
    neutral(
      `${role === 'other' ? 'file' : role} served: ${file}, ${size(bytes)} by ${protocol.toUpperCase()} in ${took(seconds)}`,
    ),
  BootScriptServed: ({ data: { script, format, tokenHash } }) =>
    neutral(
      `${scriptName(format)} served: ${bootScripts[script]}${tokenHash === null ? '' : ', with a one-time token for its worker'}`,
    ),
  MachineDiscovered: ({ data: { inventory, address } }) => {
    const { vendor, product, cpus, memoryBytes, disks } = inventory;
    const made = [vendor, product].filter((part) => part !== '').join(' ') || 'a machine';
    const memory = `${Math.round(memoryBytes / 2 ** 20)} MiB of memory`;
    return good(`discovered at ${address}: ${made}, ${cpus} CPUs, ${memory}, ${disks.length} disks`);
  },
  OsieStarted: ({ data }) => active(`in-memory OS is up, ${took(data.uptimeSeconds)} after its kernel started`),
  MachinePhonedHome: ({ data: { address, kind, body } }) => {
    const said = body.trim().slice(0, 120);
    return good(`installed system phoned home from ${address}${said === '' ? because(kind) : `: ${said}`}`);
  },
  BootRequestFailed: ({ data }) => {
    const times = data.count === 1 ? '' : ` ${data.count} times`;
    if (wasServed(data)) return neutral(`told to boot its own disk${times}${because(data.detail)}`);
    return warn(`not served${times}: ${failedText(data)}`);
  },
} as const satisfies Sentences<
  HardwareEvent | TemplateEvent | EnrolmentEvent | LeaseEvent | DhcpServiceEvent | BootEvent
>;

/** As its program calls it. */
function scriptName(format: BootScriptFormat | null): string {
  if (format === null) return 'boot script';
  return format === 'iPXE' ? 'iPXE script' : `${format} configuration`;
}

const bootScripts = {
  osie: 'boot the in-memory OS',
  local: 'boot your own disk',
  custom: "the machine's own",
  rescue: 'boot a rescue shell',
  discovery: 'look at what the machine is made of',
} as const;

function interfaces({ network }: HardwareRecord): string {
  const each = network.interfaces.map(({ dhcp }) =>
    [dhcp.hostname, formatMac(dhcp.mac), dhcp.ip?.address ?? ''].filter((part) => part !== '').join(' '),
  );
  return each.join(', ') || 'no interfaces';
}
