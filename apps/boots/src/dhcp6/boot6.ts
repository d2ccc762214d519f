import { bootFileUrl, type Dhcp6Message } from '@tinkerbell/dhcp6';
import type { NetbootOffered } from '@tinkerbell/events';
import { bootFile } from '../dhcp/boot-file';
import type { BootClient } from '../dhcp/boot-client';
import { bootClient6 } from './client6';
import type { Dhcp6Context } from './decision6';
import { optionsSet } from './info-options';

export interface Boot6 {
  readonly client: BootClient;
  /** RFC 5970 §3.1: always a whole URL. */
  readonly url: string;
}

/**
 * undefined: the machine is none of ours, does not want to boot from the network, or has no program for its architecture; or its boot file
 * is set by number: the operator's word against ours.
 */
export function bootOf6({ options }: Dhcp6Message, context: Dhcp6Context): Boot6 | undefined {
  const { machine, mayNetboot, chained, ticket, server } = context;
  if (!machine || optionsSet(context).some(({ code }) => code === bootFileUrl.code)) return undefined;
  const client = bootClient6(options);
  if (!client) return undefined;
  const binary = machine.interface.netboot.ipxe.binary;
  const file = bootFile(
    { client, mac: machine.mac, binary, chained, mayNetboot, ticket: ticket?.text ?? '' },
    server.urls,
  );
  if (file === '') return undefined;
  return { client, url: file.includes('://') ? file : `tftp://${server.urls.tftp}/${file}` };
}

export function bootFact6(
  request: Dhcp6Message,
  context: Dhcp6Context,
  ip: string,
): NetbootOffered['data'] | undefined {
  const boot = bootOf6(request, context);
  if (!boot || !context.machine) return undefined;
  const { hardwareId, mac } = context.machine;
  const { arch, kind, userClass } = boot.client;
  // The ticket itself stays out of the log: who reads it could fetch the script.
  const [bootFile = '', shown] = boot.url.split('?ticket=');
  const { hash, expiresAt } = (shown === undefined ? undefined : context.ticket) ?? { hash: null, expiresAt: null };
  return {
    ...{ hardwareId, mac, ip, arch, client: kind, userClass, bootFile },
    ...{ ticketHash: hash, ticketExpiresAt: expiresAt },
  };
}
