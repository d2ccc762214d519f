import { ForbiddenError, formatMac, NotFoundError, parseInventory } from '@tinkerbell/domain';
import { plainAddress } from '../callers';
import { type HttpRequest, peerOf } from '../http/http-message';
import { readJson } from '../http/read-body';
import { hashOf } from '../ipxe/script-tickets';
import type { BootLog } from '../log/boot-log';
import type { Logger } from '../logger';
import type { Machines } from '../machines';
import { looseMac } from '../requested-name';

/** Bytes. A machine of 256 disks and as many network cards stays below. */
const maxInventoryBytes = 256 * 1024;

/** A machine that booted a discovery script tells what it is made of. Stored before it is answered. */
export class DiscoveryDesk {
  constructor(
    private readonly machines: Machines,
    private readonly boots: BootLog,
    private readonly log: Logger,
    private readonly clock: () => Date,
  ) {}

  /** Throws InvalidDocumentError for what is no inventory, ForbiddenError without the token of the machine's newest discovery script. */
  async take(request: HttpRequest, path: string): Promise<void> {
    const address = plainAddress(peerOf(request));
    const mac = looseMac(path);
    if (mac === undefined) throw new NotFoundError('machine', path);
    const token = /^Bearer ([\w-]{1,128})$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    const { discovery } = await this.boots.stateOf(mac);
    const isGood = discovery?.tokenHash === hashOf(token) && this.clock().toISOString() < discovery.expiresAt;
    if (!isGood) throw new ForbiddenError(`the token is not that of a discovery of ${formatMac(mac)}`);
    const inventory = parseInventory(await readJson(request, maxInventoryBytes));
    const hardwareId = this.machines.byMac(mac)?.hardwareId ?? null;
    await this.boots.record({ type: 'RecordDiscovery', hardwareId, mac, address, inventory });
    this.log.info(`${mac} at ${address} is ${inventory.vendor} ${inventory.product}, ${inventory.cpus} CPUs`);
  }
}
