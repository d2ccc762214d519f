// ProxyDHCP (PXE 2.1 §2.2): the boot file beside another server that gives the address.
import {
  clientInterface,
  clientMachineId,
  clientArch,
  clientIdentifier,
  type DhcpPacket,
  messageType,
  noAddress,
  readOption,
  relayAgent,
  serverIdentifier,
  setOption,
  vendorClass,
  vendorSpecific,
} from '@tinkerbell/dhcp';
import { bootClientOf, vendorName } from './boot-client';
import { bootFact, bootOf } from './boot-offer';
import { destinationOf, type DhcpDecision, ignore, type Known, sizeLimit, skeleton } from './decision';
import type { Destination } from './destination';
import { raspberryMenu } from './raspberry-pi';
import { echo, takeThis } from './reply-options';

/**
 * PXE 2.1 §2.2: the offer goes out beside the other server's. What a client then requests from that server is not ours; what it sends
 * to port 4011, or names us in, is.
 */
export function proxy(known: Known, type: string): DhcpDecision {
  const { request, context, origin } = known;
  const isPxe = context.arrival === 'pxe';
  const isNamed = type === 'request' && readOption(request.options, serverIdentifier) === origin.serverId;
  const isAsked = isPxe ? type === 'request' || type === 'inform' : type === 'discover' || isNamed;
  if (!isAsked) return ignore('not-for-proxy');
  const boot = bootOf(known);
  const client = bootClientOf(request);
  if (client === undefined) return ignore('no-boot-client');
  if (boot.file === '') return ignore('no-boot-file');
  const reply = isPxe || isNamed ? 'ack' : 'offer';
  const vendor = vendorName(request.options) ?? 'PXEClient';
  const menu = client.isRaspberryPi ? raspberryMenu : takeThis;
  return {
    kind: 'reply',
    packet: {
      ...skeleton(request, {
        ciaddr: reply === 'ack' ? request.ciaddr : noAddress,
        siaddr: boot.server,
        file: boot.file,
        options: proxyOptions({ type: reply, request, serverId: origin.serverId, vendor, menu }),
      }),
      sname: boot.server,
    },
    destination: isPxe ? pxeDestination(known) : destinationOf(known, reply),
    maxSize: sizeLimit(request),
    leases: [],
    boot: bootFact(known, boot),
  };
}

interface ProxyContent {
  readonly type: 'offer' | 'ack';
  readonly request: DhcpPacket;
  readonly serverId: string;
  readonly vendor: 'PXEClient' | 'HTTPClient';
  /** Option 43. */
  readonly menu: ReadonlyMap<number, Uint8Array>;
}

/** No address, no lease, no network: of those the other server is the master. */
function proxyOptions({ type, request, serverId, vendor, menu }: ProxyContent): Map<number, Uint8Array> {
  const options = new Map<number, Uint8Array>();
  setOption(options, messageType, type);
  setOption(options, serverIdentifier, serverId);
  echo(request.options, [clientIdentifier.code], options);
  // Firmware takes a reply without an address for boot information only when it carries this.
  setOption(options, vendorClass, vendor);
  setOption(options, vendorSpecific, menu);
  echo(request.options, [clientArch.code, clientInterface.code, clientMachineId.code, relayAgent.code], options);
  return options;
}

/** To the port that the request came from: a client that asks port 4011 has its address already. */
function pxeDestination(known: Known): Destination {
  const { source } = known.context;
  return source.address === noAddress ? destinationOf(known, 'ack') : source;
}
