// What every real client in the captures is answered by DHCPv6, byte for byte: a change of any reply shows here, and is meant or is not.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import {
  clientId,
  decodeMessage,
  encodeMessage,
  hexOf,
  iaAddress,
  iaNa,
  readOption,
  readOptions,
  serverId,
  unwrapRelays,
  wrapReply,
} from '@tinkerbell/dhcp6';
import { captures6, readCapture6 } from '@tinkerbell/testing';
import { expect, it } from 'vitest';
import { associationOf, macsOf } from './client6';
import { respond6 } from './dhcp6.responder';
import { bound, context, leased, machineAt, ours } from './requests6.testing';
import { parseSubnets6, type Subnet6 } from './subnet6';

const file = fileURLToPath(new URL('../../fixtures/dhcp6-replies.txt', import.meta.url));
const fromServer: readonly string[] = ['advertise', 'reply', 'relay-reply'];

/** `<capture> <message> <type>: <reply in hex>`, or why there is none. */
function* replies(): Generator<string> {
  for (const name of captures6) {
    for (const [i, bytes] of readCapture6(name).entries()) {
      const { type } = decodeMessage(bytes);
      if (!fromServer.includes(type)) yield `${name} ${i} ${replyTo(bytes)}`;
    }
  }
}

function replyTo(bytes: Uint8Array): string {
  const { message: request, relays } = unwrapRelays(decodeMessage(bytes));
  const id = readOption(request.options, clientId) ?? new Uint8Array();
  const association = readOption(request.options, iaNa);
  // As if it had been us who gave it the address that it names.
  const [asked] = association ? readOptions(association.options, iaAddress) : [];
  const address = asked?.address ?? 'fd99::20';
  const [subnet] = parseSubnets6(`${address.split('::')[0]}::/64=reservation`) as readonly Subnet6[];
  const held = bound(address, { clientId: associationOf(id, association?.iaid ?? 0) });
  const over = {
    ...{ machine: machineAt(address), mac: macsOf(request, relays, 'fe80::1')[0] ?? null, pools: [] },
    ...{ duid: readOption(request.options, serverId) ?? ours, leases: asked ? leased(held) : leased() },
    ...(subnet ? { subnet } : {}),
    relay: relays.at(-1)?.link ?? null,
  };
  const decision = respond6(request, context(over));
  if (decision.kind === 'ignore') return `${request.type}: ${decision.reason}`;
  const facts = decision.leases.map(({ type }) => type).join(' ');
  return `${request.type}: ${facts === '' ? '' : `${facts} `}${hexOf(encodeMessage(wrapReply(decision.message, relays)))}`;
}

it('replies to the captured messages are what they were', () => {
  const now = [...replies()];
  expect(now.length).toBeGreaterThan(20);
  if (process.env['UPDATE_FIXTURES']) {
    writeFileSync(file, `${now.join('\n')}\n`);
    expect.fail('wrote dhcp6-replies.txt; run again without UPDATE_FIXTURES');
  }
  expect(now).toEqual(readFileSync(file, 'utf8').trimEnd().split('\n'));
});
