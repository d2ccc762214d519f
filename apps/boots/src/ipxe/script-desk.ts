import { createHash, randomBytes } from 'node:crypto';
import { ForbiddenError, formatMac, NotFoundError } from '@tinkerbell/domain';
import { chainScript, contentsScript, localBootScript, osieScript } from '@tinkerbell/ipxe';
import type { Callers } from '../callers';
import type { BootLog } from '../log/boot-log';
import type { Logger } from '../logger';
import type { Machine, Machines } from '../machines';
import type { FailedRequests } from '../recorder/failed-requests';
import { looseMac } from '../requested-name';
import { chooseScript, type ScriptChoice } from './choose-script';

export interface ScriptSettings {
  /** As machines reach it, without a slash at its end. */
  readonly bootsUrl: string;
  readonly tinkServerUrl: string;
  readonly certUrl: string;
  readonly caSha256: string;
  readonly extraArguments: readonly string[];
  /** How long an enrolment token is good for. */
  readonly tokenSeconds: number;
}

export interface ScriptServices {
  readonly machines: Machines;
  readonly callers: Callers;
  readonly boots: BootLog;
  readonly failed: Pick<FailedRequests, 'note'>;
  readonly log: Logger;
  readonly clock: () => Date;
}

/** The script of one machine, and the fact that the machine got it, stored before the script leaves. */
export class ScriptDesk {
  constructor(
    private readonly services: ScriptServices,
    /** Read at every script: the port of our own URL is known only once bound. */
    private readonly settings: () => ScriptSettings,
  ) {}

  /**
   * `mac`: from the path, undefined = go by the address. Throws NotFoundError for a machine that we do not know, ForbiddenError when
   * a script that may hold secrets is asked for by anybody but the machine.
   */
  async script(address: string, mac: string | undefined): Promise<string> {
    const { machines, callers, boots, failed, log } = this.services;
    const machine = mac === undefined ? callers.at(address) : machines.byMac(looseMac(mac) ?? '');
    if (!machine) throw new NotFoundError('machine', mac ?? address);
    const verdict = machines.netboot(machine);
    const { netboot, dhcp } = machine.interface;
    const osieUrl = `${this.settings().bootsUrl}/osie`;
    const choice = chooseScript({ netboot, recordArch: dhcp.arch }, verdict, boots.archOf(machine.mac), osieUrl);
    if (!callers.holds(address, machine.mac)) {
      // The way to its own disk is no secret; that a stranger fetched it is no step of the machine.
      if (choice.script === 'local') return this.#text(machine, choice, '');
      throw new ForbiddenError(`${address} does not hold the lease of ${formatMac(machine.mac)}`);
    }
    const text = await this.#serve(machine, choice);
    if (choice.script === 'local') {
      const [protocol, reason] = ['http', 'may-not-netboot'] as const;
      failed.note({ protocol, reason, detail: verdict.reason, source: address, mac: machine.mac });
    }
    log.info(`${choice.script} script to ${machine.mac} at ${address}: ${verdict.reason}`);
    return text;
  }

  async #serve(machine: Machine, choice: ScriptChoice): Promise<string> {
    const { hardwareId, mac } = machine;
    const token = randomBytes(32).toString('base64url');
    const text = this.#text(machine, choice, token);
    const expires = new Date(this.services.clock().getTime() + this.settings().tokenSeconds * 1000);
    const isOsie = choice.script === 'osie';
    await this.services.boots.record({
      type: 'RecordScriptServed',
      hardwareId,
      mac,
      script: choice.script,
      tokenHash: isOsie ? createHash('sha256').update(token).digest('hex') : null,
      expiresAt: isOsie ? expires.toISOString() : null,
    });
    return text;
  }

  #text({ mac, hardwareId }: Machine, choice: ScriptChoice, token: string): string {
    const shown = formatMac(mac);
    if (choice.script === 'local') return localBootScript({ mac: shown });
    if (choice.script === 'custom') {
      return choice.contents === '' ? chainScript(choice.url) : contentsScript(choice.contents);
    }
    const { script: _, ...osie } = choice;
    const { bootsUrl, tinkServerUrl, certUrl, caSha256, extraArguments } = this.settings();
    return osieScript({
      ...{ mac: shown, workerId: hardwareId, ...osie, token },
      ...{ bootsUrl, tinkServerUrl, certUrl, caSha256, extraArguments },
    });
  }
}
