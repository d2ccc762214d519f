import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { showMac } from '../output/print';
import type { Color } from '../output/screen';
import { took } from '../output/time';

/** What an event means, in words. */
export interface Told {
  readonly text: string;
  readonly color?: Color;
}

/** Name of an action of a workflow; undefined while it is not known. */
export type ActionName = (workflowId: string, index: number) => string | undefined;

const good = (text: string): Told => ({ text, color: 'green' });
const bad = (text: string): Told => ({ text, color: 'red' });
const fine = (text: string): Told => ({ text });

/** One line for people. An event of a newer release is named, not hidden. */
export function tell({ event, aggregateId }: Recorded<AnyEvent>, nameOf: ActionName): Told {
  const action =
    'index' in event.data && event.data.index !== null
      ? (nameOf(aggregateId, event.data.index) ?? `action ${event.data.index + 1}`)
      : '';
  return (
    tellHardware(event) ??
    tellBoot(event) ??
    tellWorkflow(event, action) ??
    tellSecret(event, aggregateId) ??
    fine(`${(event as AnyEvent).type}`)
  );
}

function tellHardware(event: AnyEvent): Told | undefined {
  switch (event.type) {
    case 'HardwareRegistered':
    case 'HardwareUpdated': {
      const interfaces = event.data.hardware.network.interfaces.map(({ dhcp }) =>
        [dhcp.hostname, showMac(dhcp.mac), dhcp.ip?.address ?? ''].filter((part) => part !== '').join(' '),
      );
      const verb = event.type === 'HardwareRegistered' ? 'registered' : 'changed';
      return fine(`hardware ${verb}: ${interfaces.join(', ') || 'no interfaces'}`);
    }
    case 'HardwareDeleted':
      return fine('hardware deleted');
    case 'TemplateCreated':
      return fine(`template ${event.data.name} created`);
    case 'TemplateUpdated':
      return fine(`template ${event.data.name} changed`);
    case 'TemplateDeleted':
      return fine('template deleted');
    case 'EnrolmentTokenIssued':
      return fine(`one-time token issued, good until ${event.data.expiresAt}`);
    case 'WorkerEnrolled':
      return fine(`worker enrolled from ${event.data.address}: one-time token exchanged for a credential of its own`);
    case 'WorkerReady': {
      const { hostname, engine, node, memoryBytes } = event.data;
      return fine(
        `worker ready: ${hostname}, ${engine}, node ${node}, ${Math.round(memoryBytes / 2 ** 20)} MiB of memory`,
      );
    }
    case 'AuditCheckpointed':
      return fine(`log signed up to position ${event.data.position}`);
    default:
      return undefined;
  }
}

function tellSecret(event: AnyEvent, name: string): Told | undefined {
  if (event.type === 'SecretSet') return fine(`secret ${name} set, version ${event.data.version}`);
  return event.type === 'SecretDeleted' ? fine(`secret ${name} deleted`) : undefined;
}

function tellBoot(event: AnyEvent): Told | undefined {
  switch (event.type) {
    case 'LeaseBound': {
      const { ip, mac, leaseSeconds, giaddr } = event.data;
      return fine(
        `DHCP lease: ${ip} for ${showMac(mac)}, ${took(leaseSeconds)}${giaddr === null ? '' : `, through relay ${giaddr}`}`,
      );
    }
    case 'LeaseRenewed':
      return fine(`DHCP lease renewed: ${event.data.ip} for ${showMac(event.data.mac)} (${event.data.clientState})`);
    case 'LeaseReleased':
      return fine(`DHCP lease released: ${event.data.ip} by ${showMac(event.data.mac)}`);
    case 'LeaseDeclined':
      return bad(
        `DHCP lease declined: ${event.data.ip} is in use, says ${showMac(event.data.mac)}${because(event.data.message)}`,
      );
    case 'LeaseRefused':
      return bad(`DHCP refused ${event.data.requested} to ${showMac(event.data.mac)}${because(event.data.reason)}`);
    case 'NetbootOffered': {
      const { bootFile, client, arch } = event.data;
      return fine(`boot file offered: ${bootFile} (${client}${arch === null ? '' : `, architecture ${arch}`})`);
    }
    case 'BootFileServed': {
      const { role, file, bytes, protocol, seconds } = event.data;
      return fine(`${role} served: ${file}, ${size(bytes)} by ${protocol.toUpperCase()} in ${took(seconds)}`);
    }
    case 'BootScriptServed':
      return fine(bootScripts[event.data.script]);
    case 'OsieStarted':
      return fine(`in-memory OS is up, ${took(event.data.uptimeSeconds)} after its kernel started`);
    case 'MachinePhonedHome': {
      const body = event.data.body.trim().slice(0, 120);
      return good(`installed system phoned home from ${event.data.address}${body === '' ? '' : `: ${body}`}`);
    }
    default:
      return undefined;
  }
}

function tellWorkflow(event: AnyEvent, action: string): Told | undefined {
  switch (event.type) {
    case 'WorkflowCreated': {
      const { templateName, devices, actions } = event.data;
      const machines = Object.entries(devices).map(([name, address]) => `${name}=${showMac(address)}`);
      return fine(
        `workflow created from ${templateName} for ${machines.join(', ')}: ${count(actions.length, 'action')}`,
      );
    }
    case 'ActionStarted':
      return {
        text: `${action} started${event.data.attempt > 1 ? `, attempt ${event.data.attempt}` : ''}`,
        color: 'yellow',
      };
    case 'ActionSucceeded':
      return good(`${action} succeeded in ${took(event.data.seconds)}`);
    case 'ActionFailed': {
      const { exitCode, reason, seconds, message } = event.data;
      const how = exitCode === null ? failures[reason] : `exit code ${exitCode}`;
      return bad(`${action} FAILED after ${took(seconds)}: ${how}${because(message)}`);
    }
    case 'ActionTimedOut':
      return bad(
        `${action} TIMED OUT after ${took(event.data.seconds)}, stopped by the ${event.data.firedBy}${because(event.data.message)}`,
      );
    case 'ActionHandlerFinished': {
      const { handler, exitCode, seconds } = event.data;
      const result = exitCode === null ? 'did not run' : `ended with exit code ${exitCode}`;
      return fine(`${handler} command of ${action} ${result} after ${took(seconds)}`);
    }
    case 'WorkflowTimedOut':
      return bad(
        `workflow TIMED OUT: its limit is ${took(event.data.globalTimeoutSeconds)}${action === '' ? '' : `, during ${action}`}`,
      );
    case 'WorkflowDataUpdated': {
      const { version, size: bytes, action: by } = event.data;
      return fine(`workflow data version ${version}, ${size(bytes)}${by === '' ? '' : `, from ${by}`}`);
    }
    case 'WorkflowDeleted':
      return fine('workflow deleted');
    default:
      return undefined;
  }
}

const bootScripts = {
  osie: 'iPXE script served: boot the in-memory OS',
  local: 'iPXE script served: boot your own disk',
  custom: "iPXE script served: the machine's own",
} as const;

const failures = {
  exit: 'it exited',
  pull: 'its image could not be pulled',
  create: 'its container could not be made',
  start: 'its container could not be started',
  engine: 'the container engine failed',
  refused: 'the worker refused it',
  'unknown-outcome': 'the machine restarted meanwhile, so nobody knows whether it took effect',
} as const;

/** `3 actions`, `1 action`. */
export function count(number: number, noun: string): string {
  return `${number} ${noun}${number === 1 ? '' : 's'}`;
}

export function size(bytes: number): string {
  if (bytes < 1e3) return count(bytes, 'byte');
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(1)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

function because(message: string): string {
  return message === '' ? '' : ` (${message})`;
}
