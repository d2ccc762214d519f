// What every real client in the captures is answered, byte for byte: a change of any reply shows here, and is meant or is not.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { decodePacket, encodePacket, macOf, readOption, requestedAddress, serverIdentifier } from '@tinkerbell/dhcp';
import { captures, readCapture } from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import type { DhcpMode } from './dhcp-mode';
import { respond } from './dhcp.responder';
import { contextOf, hardwareId, reservation } from './requests.testing';

const file = fileURLToPath(new URL('../../fixtures/dhcp-replies.txt', import.meta.url));
/** `<capture> <packet> <mode>: <destination> <reply in hex>`, or why there is none. */
function* replies(): Generator<string> {
  for (const name of captures) {
    for (const [i, bytes] of readCapture(name).entries()) {
      if (bytes[0] !== 1) continue;
      for (const mode of ['reservation', 'proxy'] as const) yield `${name} ${i} ${mode}: ${replyTo(bytes, mode)}`;
    }
  }
}

function replyTo(bytes: Uint8Array, mode: DhcpMode): string {
  const request = decodePacket(bytes);
  const mac = macOf(request) ?? '';
  // As if it had been us whom the client chose.
  const own = readOption(request.options, serverIdentifier) ?? '10.0.0.1';
  const address = readOption(request.options, requestedAddress) ?? '10.0.0.20';
  const ip = { address, netmask: '255.255.255.0', gateway: '10.0.0.254', family: 4 };
  const interfaceOf = reservation({ mac, ip, options: [{ code: 132, type: 'uint32', value: 7 }] });
  const { server } = contextOf();
  const site = { address: own, nameServers: [], logServers: ['10.0.0.3'] };
  const urls = { ...server.urls, tftp: `${own}:69`, http: `http://${own}` };
  const context = contextOf({
    machine: { mac, hardwareId, interface: interfaceOf },
    server: { ...server, site, urls, modes: { mode, subnets: [] } },
  });
  const decision = respond(request, context);
  if (decision.kind !== 'reply') return decision.kind === 'ignore' ? decision.reason : decision.kind;
  const reply = encodePacket(decision.packet, { maxSize: decision.maxSize });
  return `${decision.destination.address} ${Buffer.from(reply).toString('hex')}`;
}

describe('replies to the captured requests', () => {
  const now = [...replies()];
  it('are of every kind', () => {
    expect(now.length).toBeGreaterThan(60);
    expect(now.filter((line) => / proxy: [\d.]+ 02/.test(line)).length).toBeGreaterThan(10);
  });
  it('are what they were', () => {
    if (process.env['UPDATE_FIXTURES']) {
      writeFileSync(file, `${now.join('\n')}\n`);
      expect.fail('wrote dhcp-replies.txt; run again without UPDATE_FIXTURES');
    }
    expect(now).toEqual(readFileSync(file, 'utf8').trimEnd().split('\n'));
  });
});
