import { bootFileName, noAddress, readOption, tftpServerName } from '@tinkerbell/dhcp';
import type { NetbootOffered } from '@tinkerbell/events';
import { type BootClient, bootClientOf } from './boot-client';
import { bootFile } from './boot-file';
import type { Known } from './decision';
import { recordOptions } from './record-options';

export interface BootOffer {
  /** Who takes the file from us; undefined: nobody, or it is not ours. */
  readonly client: BootClient | undefined;
  readonly file: string;
  /** siaddr. */
  readonly server: string;
}

/** Who an offer is told of: BOOTP has no words of its own for what a client is. */
type Offeree = Pick<NetbootOffered['data'], 'arch' | 'userClass'> & { readonly kind: NetbootOffered['data']['client'] };

/** Options 66 and 67 of the record, a class or the subnet are the operator's word against ours. */
export function bootOf({ request, context, machine, pooled }: Known): BootOffer {
  const { mayNetboot, chained, server } = context;
  const { dhcp, netboot } = machine.interface;
  if (dhcp.options.some(({ code }) => code === bootFileName.code || code === tftpServerName.code)) {
    const own = recordOptions(dhcp.options);
    const file = readOption(own, bootFileName) ?? '';
    const name = readOption(own, tftpServerName) ?? server.site.address;
    return { client: undefined, file, server: /^\d+(?:\.\d+){3}$/.test(name) ? name : noAddress };
  }
  if (pooled && !pooled.boots) return { client: undefined, file: '', server: noAddress };
  const client = bootClientOf(request);
  if (!client) return { client, file: '', server: server.site.address };
  const ticket = context.ticket?.text ?? '';
  const wish = { client, mac: machine.mac, binary: netboot.ipxe.binary, chained, mayNetboot, ticket };
  return { client, file: bootFile(wish, server.urls), server: server.site.address };
}

export function bootFact(
  { request, context, machine, address }: Known,
  { client, file }: { readonly client: Offeree | undefined; readonly file: string },
): NetbootOffered['data'] | undefined {
  const { mac, hardwareId } = machine;
  if (!client || file === '') return undefined;
  const { arch, kind, userClass } = client;
  // The ticket itself stays out of the log: who reads it could fetch the script.
  const [bootFile = '', shown] = file.split('?ticket=');
  const { hash, expiresAt } = (shown === undefined ? undefined : context.ticket) ?? { hash: null, expiresAt: null };
  return {
    ...{ hardwareId, mac, ip: address || request.ciaddr, arch, client: kind, userClass, bootFile },
    ...{ ticketHash: hash, ticketExpiresAt: expiresAt },
  };
}
