import type {
  BootEvent,
  BootFileServed,
  BootScript,
  EnrolmentEvent,
  HardwareEvent,
  LeaseEvent,
  NetbootOffered,
  Recorded,
} from '@tinkerbell/events';
import { isStale, type Projection } from './projection';
import type { BootStep, MachineRow } from './rows';

export type MachineEvent = HardwareEvent | BootEvent | LeaseEvent | EnrolmentEvent;

const maxSteps = 64;
/** A program that did not get its script whole asks for it again within this time; later it is another boot. */
const repeatMs = 120_000;

/** The last that boots hears of a machine whose system does not call home. */
const toldOfItsDisk = 'told to boot its own disk';

/** Its own system called home; otherwise that it was told to boot it is all that is known. */
export function isHome({ step, steps }: Pick<MachineRow, 'step' | 'steps'>): boolean {
  return step === 'disk' && steps.at(-1)?.detail !== toldOfItsDisk;
}

/** One row a machine, whoever saw it: DHCP and boot files from boots, the worker from tink-server. */
export const machineList: Projection<MachineEvent, MachineRow> = {
  name: 'machine-list',
  version: 8,
  continues: [4, 5, 6, 7],
  aggregates: ['hardware', 'boot', 'lease', 'enrolment'],
  key: ({ aggregate, aggregateId, event }) =>
    aggregate === 'hardware' || aggregate === 'enrolment' || isUnregistered(event) ? aggregateId : hardwareIdOf(event),
  evolve(row, recorded) {
    if (isStale(row, recorded)) return row;
    const { event, aggregateId, at, position } = recorded;
    const id = hardwareIdOf(event) ?? aggregateId;
    const next = step(row ?? { ...unknown, id, updatedAt: at, position }, recorded);
    return next && { ...next, updatedAt: at, position };
  },
  lookups: ({ mac, ip, ip6, hostname }) => [
    ...(mac === '' ? [] : [`mac:${mac}`]),
    ...[ip, ip6].filter((each) => each !== '').map((each) => `ip:${each}`),
    ...(hostname === '' ? [] : [`name:${hostname.toLowerCase()}`]),
  ],
};

const noAddress = { ip: '', ip6: '' } as const;
const unknown = {
  hostname: '',
  mac: '',
  ...noAddress,
  step: 'off',
  steps: [],
  bootFiles: [],
  registered: false,
} as const;

const steps: readonly MachineEvent['type'][] = [
  ...(['NetbootOffered', 'BootFileServed', 'BootScriptServed', 'OsieStarted', 'MachineDiscovered'] as const),
];

/** On its way up without a record: known by its MAC. */
function isUnregistered(event: MachineEvent): boolean {
  return steps.includes(event.type) && hardwareIdOf(event) === undefined;
}

function hardwareIdOf({ data }: MachineEvent): string | undefined {
  return data && 'hardwareId' in data ? (data.hardwareId ?? undefined) : undefined;
}

function step(row: MachineRow, recorded: Recorded<MachineEvent>): MachineRow | undefined {
  const { event, at } = recorded;
  switch (event.type) {
    case 'HardwareRegistered':
    case 'HardwareUpdated': {
      const dhcps = event.data.hardware.network.interfaces.flatMap(({ dhcp }) => dhcp ?? []);
      const { hostname = '', mac = '' } = dhcps[0] ?? {};
      const addresses = dhcps.flatMap((dhcp) => (dhcp.mac === mac && dhcp.ip ? dhcp.ip.address : []));
      return addresses.reduce(withAddress, { ...row, ...noAddress, registered: true, hostname, mac });
    }
    case 'HardwareDeleted':
      // A machine that was never seen leaves nothing to look at.
      return row.steps.length === 0 ? undefined : { ...row, registered: false };
    case 'LeaseBound':
    case 'LeaseRenewed':
      // Operating systems lease as firmware does: what wants to boot is offered a file, or there is none for it.
      return withAddress({ ...row, mac: event.data.mac ?? row.mac }, event.data.ip);
    case 'EnrolmentTokenIssued':
    // A worker that has been up for long; it is no step of its boot.
    case 'WorkerCredentialRenewed':
    case 'LeaseReleased':
    case 'LeaseDeclined':
    case 'LeaseExpired':
    case 'LeaseEnded':
    case 'LeaseRefused':
    case 'LeaseRelayed':
    case 'LeaseConflictFound':
    case 'QuarantineEnded':
    case 'ServerNamed':
    case 'PoolDefined':
    case 'PoolDropped':
    case 'PoolUtilisationCrossed':
      return row;
    case 'WorkerEnrolled':
      return stepTo(row, 'worker', at, `enrolled from ${event.data.address}`);
    case 'WorkerReady': {
      const { workerVersion, engine, kernel } = event.data;
      return stepTo(row, 'worker', at, `worker ${workerVersion} is ready (${engine}, kernel ${kernel})`);
    }
    default:
      return bootStep(row, event, at);
  }
}

function bootStep(row: MachineRow, event: BootEvent, at: string): MachineRow {
  const machine = { ...row, mac: event.data?.mac ?? row.mac };
  switch (event.type) {
    case 'NetbootOffered':
      return offered(machine, event.data, at);
    case 'BootFileServed':
      return served(machine, event.data, at);
    case 'BootScriptServed':
      return scripted(machine, event.data.script, at);
    case 'MachineDiscovered': {
      const { inventory, address } = event.data;
      const made = [inventory.vendor, inventory.product].filter((part) => part !== '').join(' ');
      return stepTo(withAddress(machine, address), 'osie', at, `discovered${made === '' ? '' : `: ${made}`}`);
    }
    case 'OsieStarted':
      return stepTo(machine, 'osie', at, `up for ${event.data.uptimeSeconds} s`);
    case 'MachinePhonedHome': {
      const { kind, address } = event.data;
      return stepTo(withAddress(machine, address), 'disk', at, `phoned home${kind === '' ? '' : `: ${kind}`}`);
    }
    case 'BootRequestFailed':
      return event.data.reason === 'no-boot-file' && row.step === 'off'
        ? stepTo(machine, 'dhcp', at, `no boot file: ${event.data.detail}`)
        : row;
    default:
      return row;
  }
}

function offered(row: MachineRow, data: NetbootOffered['data'], at: string): MachineRow {
  const fresh = fromPowerOn(row, isPowerOn(row, data.client));
  return stepTo(withAddress(fresh, data.ip), 'dhcp', at, `${data.client} gets ${data.ip} and ${data.bootFile}`);
}

/** One that boots its own disk is heard of once more at most, when its system calls home. */
function scripted(row: MachineRow, script: BootScript, at: string): MachineRow {
  const last = row.steps.at(-1);
  const isAgain =
    script === 'local' && last?.detail === toldOfItsDisk && Date.parse(at) - Date.parse(last.at) < repeatMs;
  const begun = fromPowerOn(row, (isUp(row) && !isAgain) || hasFollowed(row));
  return script === 'local' ? stepTo(begun, 'disk', at, toldOfItsDisk) : stepTo(begun, 'http', at, `${script} script`);
}

/** It fetched what its script names: the next script is that of another power-on, of which nothing else tells without DHCP of ours. */
function hasFollowed({ steps, bootFiles }: MachineRow): boolean {
  const script = steps.findLast(({ detail }) => detail.endsWith(' script'))?.detail;
  // An own script may load programs and fetch scripts itself.
  return script !== undefined && script !== 'custom script' && bootFiles.some(({ role }) => osieRoles.has(role));
}

const osieRoles: ReadonlySet<BootFileServed['data']['role']> = new Set(['kernel', 'initramfs', 'rootfs']);

function fromPowerOn(row: MachineRow, isNew: boolean): MachineRow {
  return isNew ? { ...row, steps: [], bootFiles: [] } : row;
}

/** In an operating system, the in-memory one or its own, or on its way there alone: nothing that it fetches is a step of its way. */
function isUp({ step }: MachineRow): boolean {
  return step === 'osie' || step === 'worker' || step === 'disk';
}

/** A machine may have an address of each family, and is heard from either. */
function withAddress(row: MachineRow, address: string): MachineRow {
  if (!isIpv6(address)) return { ...row, ip: address, ip6: isIpv6(row.ip) ? row.ip : row.ip6 };
  return row.ip === '' || isIpv6(row.ip) ? { ...row, ip: address } : { ...row, ip6: address };
}

const isIpv6 = (address: string) => address.includes(':');

/**
 * A machine asks for DHCP more than once on one way: firmware, then the iPXE that it loaded. It is a new way when it was already past
 * its boot script, or when the firmware asks again after a file went out.
 */
function isPowerOn(row: MachineRow, client: NetbootOffered['data']['client']): boolean {
  if (isUp(row) || row.steps.some(({ detail }) => detail.endsWith(' script'))) return true;
  return client !== 'iPXE' && row.steps.some(({ step }) => step === 'tftp' || step === 'http');
}

/** Where another server does the DHCP, the first that is heard of a power-on is a boot program by TFTP. */
function served(row: MachineRow, data: BootFileServed['data'], at: string): MachineRow {
  const { role, file, bytes, protocol } = data;
  const isNew = (isUp(row) || hasFollowed(row)) && role === 'nbp' && protocol === 'tftp';
  if (isUp(row) && !isNew) return row;
  const begun = fromPowerOn(row, isNew);
  const others = begun.bootFiles.filter((known) => known.file !== file);
  const withFile = { ...begun, bootFiles: [...others, { role, file, bytes }].slice(-maxSteps) };
  return stepTo(withFile, protocol, at, `${file}, ${bytes} bytes`);
}

/** The same thing at the same time is the same event, delivered again. */
function stepTo(row: MachineRow, to: BootStep, at: string, detail: string): MachineRow {
  if (row.steps.some((done) => done.step === to && done.at === at && done.detail === detail))
    return { ...row, step: to };
  return { ...row, step: to, steps: [...row.steps, { step: to, at, detail }].slice(-maxSteps) };
}
