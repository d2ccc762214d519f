import { randomBytes } from 'node:crypto';
import { ForbiddenError, formatMac, NotFoundError, refusalOf } from '@tinkerbell/domain';
import type { Callers } from '../callers';
import { plainAddress } from '../callers';
import { BusyError } from '../files/image-cache';
import type { NetRoot } from '@tinkerbell/ipxe';
import type { BootLog } from '../log/boot-log';
import type { Logger } from '../logger';
import type { Machine, Machines } from '../machines';
import type { Overheard } from '../overheard';
import type { FailedRequests } from '../recorder/failed-requests';
import { Recent } from '../recent';
import { RateLimit } from '../rate-limit';
import { looseMac } from '../requested-name';
import { chooseScript, discoveryScript, type ScriptChoice } from './choose-script';
import type { NetRoots } from './net-roots';
import { staticNetworkOf } from './static-network';
import { ipxeSyntax, type ScriptSyntax } from './script-syntax';
import { hashOf } from './script-tickets';

export interface ScriptSettings {
  /** As machines reach it, without a slash at its end. */
  readonly bootsUrl: string;
  readonly tinkServerUrl: string;
  readonly certUrl: string;
  readonly caSha256: string;
  /** Address or `address:port`; '': none. */
  readonly logServer: string;
  /** Whether the machine comes by IPv6. */
  readonly isIpv6: boolean;
  readonly extraArguments: readonly string[];
  /** How long an enrolment token is good for. */
  readonly tokenSeconds: number;
  /** Whether the machine at this address had its script's URL from us, with a ticket in it. */
  readonly needsTicket: (address: string) => boolean;
  /** Whether machines at this address get one by DHCP. */
  readonly hasDhcp: (address: string) => boolean;
  /** Machines without a record are looked at. */
  readonly discovery: boolean;
}

export interface ScriptServices {
  readonly machines: Machines;
  readonly callers: Callers;
  readonly overheard: Pick<Overheard, 'script'>;
  readonly boots: BootLog;
  readonly roots: Pick<NetRoots, 'of'>;
  readonly failed: Pick<FailedRequests, 'note'>;
  readonly log: Logger;
  readonly clock: () => Date;
}

/** Who asks, and what for. */
interface Asked {
  readonly machine: Machine | { readonly hardwareId: null; readonly mac: string };
  readonly choice: ScriptChoice;
  readonly address: string;
  readonly ticketHash: string | null;
  /** It has no DHCP, and says so: OSIE is to use the addresses of the record. */
  readonly isStatic: boolean;
  /** Its program shows no ticket. */
  readonly isConfig: boolean;
}

/** What the URL of a script says beside the machine. */
export interface ScriptQuery {
  readonly ticket: string | undefined;
  readonly isStatic: boolean;
}

/** It was noted already, with the machine that the script is for. */
export class ScriptRefusedError extends ForbiddenError {}

/** A program that did not get the script whole asks for it again within this time. */
const repeatSeconds = 120;
/** A program that looks whether its configuration is there fetches it again within this time. */
const lookMs = 60_000;
/** Discovery scripts to one address: each is an event of whatever MAC it names. */
const discoveries = { burst: 30, perSecond: 1 / 60 };

/** The script of one machine, and the fact that the machine got it, stored before the script leaves. */
export class ScriptDesk {
  readonly #discoveries: RateLimit;
  /** MAC → token of the last configuration, '' for one without. */
  readonly #configs = new Recent<{ readonly token: string; readonly syntax: ScriptSyntax }>(lookMs);

  constructor(
    private readonly services: ScriptServices,
    /** Read at every script: the port of our own URL is known only once bound, and its host is of the machine's family. */
    private readonly settings: (address: string) => ScriptSettings,
  ) {
    this.#discoveries = new RateLimit(() => services.clock().getTime(), discoveries);
  }

  /**
   * For iPXE. `mac`: from the path, undefined = go by the address. Throws NotFoundError for a machine that we do not know, ForbiddenError
   * when a script that may hold secrets is asked for by anybody but the machine, or without the ticket of its boot.
   */
  script(from: string, mac: string | undefined, query: ScriptQuery): Promise<string> {
    const address = plainAddress(from);
    const machine = this.#machine(address, mac);
    if (!machine) return this.#discover(address, mac);
    return this.#answer(address, machine, query, ipxeSyntax);
  }

  /** For programs whose file names we do not choose, so that they cannot show a ticket: the address is all there is to go by. */
  async config(from: string, mac: string | undefined, syntax: ScriptSyntax): Promise<string> {
    const address = plainAddress(from);
    const machine = this.#machine(address, mac);
    if (!machine) throw new NotFoundError('machine', mac ?? address);
    return this.#answer(address, machine, { ticket: null, isStatic: false }, syntax);
  }

  /** What the machine would get, for the files beside the script; undefined: a machine that we do not know. */
  choice(from: string, mac: string | undefined): ScriptChoice | undefined {
    const address = plainAddress(from);
    const machine = this.#machine(address, mac);
    return machine && this.#choose(machine, address);
  }

  #machine(address: string, mac: string | undefined): Machine | undefined {
    const { machines, callers } = this.services;
    return mac === undefined ? callers.at(address) : machines.byMac(looseMac(mac) ?? '');
  }

  #choose(machine: Machine, address: string): ScriptChoice {
    const { machines, boots } = this.services;
    const { netboot, dhcp } = machine.interface;
    const osieUrl = `${this.settings(address).bootsUrl}/osie`;
    const record = { netboot, recordArch: dhcp.arch };
    return chooseScript(record, machines.netboot(machine), boots.archOf(machine.mac), osieUrl);
  }

  /** `ticket`: undefined = none was shown, null = none can be. */
  async #answer(
    address: string,
    machine: Machine,
    { ticket, isStatic }: { readonly ticket: string | undefined | null; readonly isStatic: boolean },
    syntax: ScriptSyntax,
  ): Promise<string> {
    const { machines, callers, log } = this.services;
    const choice = this.#choose(machine, address);
    const isHolder = callers.holds(address, machine.mac);
    // The way to its own disk is no secret; that a stranger fetched it is no step of the machine.
    if (choice.script === 'local' && !isHolder) return syntax.local({ mac: formatMac(machine.mac) });
    const ticketHash = ticket === undefined || ticket === null ? null : hashOf(ticket);
    const asked = {
      machine,
      choice,
      address,
      ticketHash,
      isStatic: isStatic && !this.settings(address).hasDhcp(address),
      isConfig: ticket === null,
    };
    if (!isHolder) return this.#refuse(asked, `it does not hold the lease of ${formatMac(machine.mac)}`);
    if (choice.script !== 'local' && ticket !== null && this.settings(address).needsTicket(address))
      await this.#checkTicket(asked);
    const text = await this.#serve(asked, syntax);
    const { reason: detail } = machines.netboot(machine);
    log.info(`${choice.script} script to ${machine.mac} at ${address}: ${detail}`);
    return text;
  }

  async #checkTicket(asked: Asked): Promise<void> {
    const { boots, clock } = this.services;
    const { ticket } = await boots.stateOf(asked.machine.mac);
    const reason = refusalOf(ticket, asked.ticketHash, asked.address, clock().toISOString());
    if (reason !== undefined) this.#refuse(asked, reason);
  }

  #refuse({ machine: { mac }, address }: Asked, reason: string): never {
    this.services.failed.note({ protocol: 'http', reason: 'no-script', detail: reason, source: address, mac });
    this.services.log.warn(`script of ${mac} refused to ${address}: ${reason}`);
    throw new ScriptRefusedError(`the boot script of ${formatMac(mac)} is refused to ${address}: ${reason}`);
  }

  async #discover(address: string, path: string | undefined): Promise<string> {
    const { callers, overheard, boots, log } = this.services;
    const mac = path === undefined ? undefined : looseMac(path);
    const { discovery, bootsUrl } = this.settings(address);
    if (mac === undefined || !discovery) throw new NotFoundError('machine', path ?? address);
    const machine = { hardwareId: null, mac };
    const choice = discoveryScript(boots.archOf(mac), `${bootsUrl}/osie`);
    const asked = { machine, choice, address, ticketHash: null, isStatic: false, isConfig: false };
    const holder = callers.lesseeOf(address) ?? callers.at(address)?.mac ?? mac;
    if (holder !== mac) return this.#refuse(asked, `that is the address of ${formatMac(holder)}`);
    if (!this.#discoveries.allows(address)) throw new BusyError(`${address} asks for too many discovery scripts`);
    const text = await this.#serve(asked, ipxeSyntax);
    overheard.script(address, mac);
    log.info(`discovery script to ${mac} at ${address}: it has no record`);
    return text;
  }

  async #serve(asked: Asked, syntax: ScriptSyntax): Promise<string> {
    const { machine, choice, address, ticketHash } = asked;
    const hasToken = choice.script === 'osie' || choice.script === 'discovery';
    const before = asked.isConfig ? await this.#tokenBefore(asked, syntax) : undefined;
    const token = before ?? (hasToken ? randomBytes(32).toString('base64url') : '');
    const text = this.#text(asked, token, syntax, syntax.isSlow ? await this.#netRoot(asked) : undefined);
    if (before !== undefined) return text;
    const inSeconds = (seconds: number) => new Date(this.services.clock().getTime() + seconds * 1000).toISOString();
    await this.services.boots.record({
      type: 'RecordScriptServed',
      ...{
        hardwareId: machine.hardwareId,
        mac: machine.mac,
        script: choice.script,
        format: syntax.format,
        address,
        ticketHash,
      },
      tokenHash: hasToken ? hashOf(token) : null,
      expiresAt: hasToken ? inSeconds(this.settings(address).tokenSeconds) : null,
      ticketExpiresAt: ticketHash === null ? null : inSeconds(repeatSeconds),
    });
    if (asked.isConfig) this.#configs.set(machine.mac, { token, syntax }, this.services.clock().getTime());
    return text;
  }

  /** That of the configuration that the machine was given a moment ago and has done nothing with, '' for one without; undefined: it is another one. */
  async #tokenBefore(
    { machine: { mac }, choice: { script }, address }: Asked,
    syntax: ScriptSyntax,
  ): Promise<string | undefined> {
    const { boots, clock } = this.services;
    const config = this.#configs.get(mac, clock().getTime());
    const told = config?.syntax === syntax ? (await boots.stateOf(mac)).told : null;
    if (!config || told?.script.script !== script || told.script.address !== address) return undefined;
    const { token } = config;
    return told.script.tokenHash === (token === '' ? null : hashOf(token)) ? token : undefined;
  }

  /** Of files that are our own. What fetches it knows no DHCPv6, and takes the address that its boot loader has. */
  async #netRoot({ choice, address }: Asked): Promise<NetRoot | undefined> {
    const { bootsUrl, isIpv6 } = this.settings(address);
    const isOwn = 'osieUrl' in choice && choice.osieUrl === `${bootsUrl}/osie`;
    const root = isOwn && !address.startsWith('fe80:') ? await this.services.roots.of(choice) : undefined;
    return root && { ...root, from: isIpv6 ? address : '' };
  }

  #text({ machine, choice, address, isStatic }: Asked, token: string, syntax: ScriptSyntax, netRoot?: NetRoot): string {
    const { mac, hardwareId } = machine;
    const shown = formatMac(mac);
    if (choice.script === 'local') return syntax.local({ mac: shown });
    if (choice.script === 'custom') return syntax.custom(choice);
    const { script, kernelParams, ...osie } = choice;
    const { bootsUrl, tinkServerUrl, certUrl, caSha256, extraArguments, logServer, isIpv6 } = this.settings(address);
    const record = 'interface' in machine ? machine.interface : undefined;
    const network = isStatic && record ? staticNetworkOf(record) : undefined;
    // DHCPv4 tells both. DHCPv6 has no option for a log server, and that for the client's name (RFC 4704) is for its DNS.
    const hears = { logServer: !isIpv6 && !network, hostname: !isIpv6 || network };
    return syntax.osie({
      ...{ purpose: script === 'osie' ? 'workflow' : script, mac: shown, workerId: hardwareId ?? '', ...osie, token },
      ...{ bootsUrl, tinkServerUrl, certUrl, caSha256, extraArguments: [...extraArguments, ...kernelParams] },
      logServer: hears.logServer ? '' : logServer,
      hostname: hears.hostname ? '' : (record?.dhcp.hostname ?? ''),
      vlanId: record?.dhcp.vlan_id ?? 0,
      ...(network ? { network } : {}),
      ...(netRoot ? { netRoot } : {}),
    });
  }
}
