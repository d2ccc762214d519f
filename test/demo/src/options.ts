import { parseArgs } from 'node:util';
import type { TemplateVersion } from '@tinkerbell/template';

export interface DemoOptions {
  readonly firmware: 'bios' | 'uefi';
  readonly machine: 'qemu' | 'container';
  readonly image: 'small' | 'debian';
  readonly template: TemplateVersion;
  readonly accelerator: string | undefined;
  /** Reboots after provisioning, each of which has to come up from the disk. */
  readonly reboots: number;
  readonly json: boolean;
  readonly keep: boolean;
  /** Tell the story of the last run again, from its log. */
  readonly replay: boolean;
  readonly verbose: boolean;
}

export class UsageError extends Error {}

export const usage = `npm run demo [-- options]

Provisions a virtual machine end to end: it network-boots with an empty disk, runs a workflow of container
actions, reboots and comes up from its own disk.

  --firmware bios|uefi     firmware of the virtual machine (default bios)
  --machine qemu|container container: no machine, the worker runs as a container on this host's engine
  --image small|debian     what is written to the disk: an image of 111 MB, or a real Debian with systemd (default small)
  --template 1.0|0.1       format of the workflow's template (default 1.0)
  --reboots N              reboot N more times afterwards and see the disk boot each time (default 0)
  --accel NAME             QEMU accelerator, e.g. kvm (default: software emulation)
  --keep                   leave everything running afterwards; Ctrl-C ends it
  --replay                 tell the story of the last run again, from the log that it left
  --json                   print one last line {"ok":…,"steps":[…],"events":N,"seconds":S}
  --verbose                show the provisioner's log
  --help                   this text`;

function oneOf<T extends string>(flag: string, value: string, allowed: readonly T[]): T {
  const found = allowed.find((candidate) => candidate === value);
  if (!found) throw new UsageError(`--${flag} ${value}: use ${allowed.join(' or ')}`);
  return found;
}

export function parseOptions(args: readonly string[]): DemoOptions | 'help' {
  const { values } = parse(args);
  if (values.help) return 'help';
  const reboots = Number(values.reboots);
  if (!Number.isInteger(reboots) || reboots < 0 || reboots > 20)
    throw new UsageError(`--reboots ${values.reboots}: use 0 to 20`);
  return {
    firmware: oneOf('firmware', values.firmware, ['bios', 'uefi']),
    machine: oneOf('machine', values.machine, ['qemu', 'container']),
    image: oneOf('image', values.image, ['small', 'debian']),
    template: oneOf('template', values.template, ['1.0', '0.1']),
    accelerator: values.accel,
    reboots,
    json: values.json,
    keep: values.keep,
    replay: values.replay,
    verbose: values.verbose,
  };
}

function parse(args: readonly string[]) {
  try {
    return parseArgs({
      args: [...args],
      options: {
        firmware: { type: 'string', default: 'bios' },
        machine: { type: 'string', default: 'qemu' },
        image: { type: 'string', default: 'small' },
        template: { type: 'string', default: '1.0' },
        reboots: { type: 'string', default: '0' },
        accel: { type: 'string' },
        json: { type: 'boolean', default: false },
        keep: { type: 'boolean', default: false },
        replay: { type: 'boolean', default: false },
        verbose: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error });
  }
}
