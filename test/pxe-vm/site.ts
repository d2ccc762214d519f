import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { runMachine, type MachineRun } from '../demo/src/machine-run';
import { startProvisioner, type Provisioner } from '../demo/src/provisioner';
import type { Scenario } from '../demo/src/scenario';
import { createLab, type Lab } from './lab';
import type { Firmware } from './machine';

/** A lab with a provisioner, there while the tests of one `describe` run, and the machines of one test. */
export interface Site {
  readonly dir: string;
  readonly lab: Lab;
  readonly provisioner: Provisioner;
  powerOn(
    machine: Pick<Scenario, 'hardwareId' | 'hostname' | 'mac'>,
    workflowId: string,
    firmware: Firmware,
  ): Promise<MachineRun>;
  /** Resolves with the first such event of the last hour, or the first one that comes. */
  told(is: (event: Recorded<AnyEvent>) => boolean, timeoutMs: number): Promise<Recorded<AnyEvent>>;
  /** SIGKILL, and another one on the same data. */
  killProvisioner(): Promise<void>;
}

export interface SiteOptions {
  /** Settings of the services. */
  readonly env?: Readonly<Record<string, string>>;
  /** Of the provisioner, see `Lab`. */
  readonly address?: string;
  /** A further address of the provisioner, of a /64. */
  readonly address6?: string;
  /** Further ones of `tinkerbell up`. */
  readonly args?: readonly string[];
}

/** `name`: of no other site. `prepare` comes before the provisioner is started. */
export function useSite(
  name: string,
  prepare: () => Promise<void>,
  { env = {}, address, address6, args = [] }: SiteOptions = {},
): Site {
  let dir = '';
  let lab: Lab;
  let provisioner: Provisioner;
  const runs: MachineRun[] = [];
  // However slow the host is, a machine may enrol.
  const patient = { BOOTS_TOKEN_SECONDS: '86400', ...env };
  const start = () => startProvisioner(lab, { dir, dataDir: join(dir, 'data'), args, env: patient });

  beforeAll(async () => {
    await prepare();
    dir = await mkdtemp(join(tmpdir(), `tinkerbell-${name}-`));
    lab = await createLab(`tink-${name}-${process.pid}`, address, address6);
    provisioner = await start();
  }, 600_000);

  // Also after a failure: a machine that goes on would slow down the next one.
  afterEach(async () => {
    for (const { machine } of runs.splice(0)) await machine.off();
  }, 60_000);

  afterAll(async () => {
    await provisioner?.close();
    await lab?.close();
    await rm(dir, { recursive: true, force: true });
  }, 60_000);

  return {
    get dir() {
      return dir;
    },
    get lab() {
      return lab;
    },
    get provisioner() {
      return provisioner;
    },
    async powerOn(machine, workflowId, firmware) {
      const watch = { onStep: () => undefined, onProgress: () => undefined };
      const run = await runMachine(lab, provisioner, machine, workflowId, { firmware, dir }, watch);
      runs.push(run);
      return run;
    },
    told(is, timeoutMs) {
      return new Promise((resolve, reject) => {
        const told = (line: string) => {
          const recorded = JSON.parse(line) as Recorded<AnyEvent>;
          if (!is(recorded)) return;
          clearTimeout(timer);
          resolve(recorded);
          follower.kill();
        };
        const follower = provisioner.follow(['events', '--from', '60', '--follow', '--output', 'json'], told);
        const late = () => {
          follower.kill();
          reject(new Error(`no such event within ${timeoutMs / 1000} s: ${is.toString()}`));
        };
        const timer = setTimeout(late, timeoutMs);
      });
    },
    async killProvisioner() {
      await provisioner.kill();
      await provisioner.close();
      provisioner = await start();
    },
  };
}
