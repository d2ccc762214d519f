// docs/boot-sequence.md is written from these captures of virtual machines booting from this server. They stay true: every request in
// them is answered today as it was then, field by field and option by option, in the order that the client asks for.
import { decodePacket, type DhcpPacket, encodePacket, parameterRequestList, readOption } from '@tinkerbell/dhcp';
import type { HardwareInterface } from '@tinkerbell/events';
import { readCapture } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import type { DhcpContext } from './decision';
import { respond } from './dhcp.responder';
import { contextOf, hardwareId, reservation } from './requests.testing';

const server = '10.98.0.1';
const mac = '52-54-00-98-00-01';

function machine(binary: string): { mac: string; hardwareId: string; interface: HardwareInterface } {
  const ip = { address: '10.98.0.20', netmask: '255.255.255.0', gateway: server, family: 4 };
  const record = {
    mac,
    ip,
    hostname: 'server001',
    lease_time: 86_400,
    name_servers: [],
    time_servers: [],
    domain_name: '',
  };
  return { mac, hardwareId, interface: reservation(record, binary) };
}

function contextFor(binary: string, chained: string): DhcpContext {
  const site = { address: server, nameServers: [], logServers: [] };
  const urls = { tftp: `${server}:69`, http: `http://${server}`, macFormat: 'colon' as const, binaries: {} };
  return contextOf({ machine: machine(binary), chained, server: { ...contextOf().server, site, urls } });
}

/** Requests with the replies that followed them; what the virtual machine sent twice was answered twice. */
function exchanges(name: string): readonly { request: DhcpPacket; reply: Uint8Array }[] {
  const packets = readCapture(name);
  return packets.flatMap((bytes, i) => {
    const reply = packets[i + 1];
    return bytes[0] === 1 && reply?.[0] === 2 ? [{ request: decodePacket(bytes), reply }] : [];
  });
}

describe.each([
  ['tinkerbell-uefi-pxe.pcap', ''],
  ['tinkerbell-uefi-http.pcap', ''],
  ['tinkerbell-bios-rom-chain.pcap', 'undionly.kpxe'],
])('%s', (name, binary) => {
  const found = exchanges(name);
  it('is two DISCOVERs and two REQUESTs', () => expect(found).toHaveLength(4));
  it.each(found.map((exchange, i) => ({ ...exchange, i })))(
    'packet $i is answered as recorded',
    ({ request, reply, i }) => {
      // The first two come from the firmware, the others from the program that it loaded.
      const decision = respond(request, contextFor(binary, i < 2 ? '' : binary));
      if (decision.kind !== 'reply') throw new Error(JSON.stringify(decision));
      const answer = decodePacket(encodePacket(decision.packet, { maxSize: decision.maxSize }));
      expect(answer).toEqual(decodePacket(reply));
      const asked = readOption(request.options, parameterRequestList) ?? [];
      const places = [...answer.options.keys()].map((code) => asked.indexOf(code)).filter((place) => place >= 0);
      // The mask and what the RFC demands stand before.
      const free = places.slice(places.indexOf(asked.indexOf(1)) + 1);
      expect(free).toEqual([...free].sort((a, b) => a - b));
    },
  );
});
