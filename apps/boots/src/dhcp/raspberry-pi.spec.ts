import { messageType, readOption, vendorClass } from '@tinkerbell/dhcp';
import { describe, expect, it } from 'vitest';
import { respond } from './dhcp.responder';
import { contextOf, firmware, hardwareId, raspberryRequest, requestOf, reservation } from './requests.testing';

const pi = 'b8-27-eb-28-f6-6d';
const latin1 = (text: string) => Array.from(text, (character) => character.charCodeAt(0));
/** As in the reply of their documentation, but with PXE's discovery control as everybody gets it, and three spaces for the Pi 3B. */
const menu = [
  ...[6, 1, 8],
  ...[9, 23, 0, 0, 20, ...latin1('Raspberry Pi Boot   ')],
  ...[10, 4, 0, ...latin1('PXE')],
  255,
];

function answer(
  request = raspberryRequest('discover', pi),
  binary = '',
  mode: 'reservation' | 'proxy' = 'reservation',
) {
  const mac = Array.from(request.chaddr, (byte) => byte.toString(16).padStart(2, '0')).join('-');
  const { server, ...context } = contextOf({ machine: { mac, hardwareId, interface: reservation({ mac }, binary) } });
  const decision = respond(request, { ...context, server: { ...server, modes: { mode, subnets: [] } } });
  if (decision.kind !== 'reply') throw new Error(decision.kind);
  return decision;
}
const menuOf = ({ packet }: ReturnType<typeof answer>) => [...(packet.options.get(43) ?? [])];

describe('a Raspberry Pi', () => {
  it.each(['reservation', 'proxy'] as const)('is told the word that it looks for, in mode %s', (mode) => {
    const reply = answer(raspberryRequest('discover', pi), '', mode);
    expect(readOption(reply.packet.options, messageType)).toBe('offer');
    expect(menuOf(reply)).toEqual(menu);
    expect(readOption(reply.packet.options, vendorClass)).toBe('PXEClient');
    expect(reply.packet).toMatchObject({ siaddr: '127.0.0.1', file: 'bootcode.bin' });
  });

  it.each(['b8-27-eb', 'dc-a6-32', 'e4-5f-01', '28-cd-c1', 'd8-3a-dd', '2c-cf-67', '88-a2-9e'])(
    'is known by its maker, %s',
    (maker) => expect(menuOf(answer(raspberryRequest('discover', `${maker}-00-00-01`)))).toEqual(menu),
  );

  it.each([4, 5])('is known by the machine id of a Pi %s, whatever its MAC', (n) => {
    const id = Uint8Array.of(...latin1(`RPi${n}`), 0x11, 0x31, 0xc0, 0, ...new Array<number>(8).fill(7));
    expect(menuOf(answer(raspberryRequest('discover', '02-00-00-00-00-01', id)))).toEqual(menu);
  });

  it('that is offered its reserved address may take it without a REQUEST', () => {
    expect(answer().offersPi).toBe(true);
    expect(answer(requestOf('discover', firmware(0))).offersPi).toBe(false);
  });

  it('is any other machine when its UEFI asks, or another maker made it', () => {
    const uefi = { ...raspberryRequest('discover', pi), options: requestOf('discover', firmware(11)).options };
    expect([menuOf(answer(uefi)), answer(uefi).packet.file]).toEqual([[6, 1, 8, 255], 'snp-arm64.efi']);
    const other = answer(raspberryRequest('discover', '02-00-00-00-00-01'));
    expect([menuOf(other), other.packet.file]).toEqual([[6, 1, 8, 255], 'undionly.kpxe']);
  });

  it('is given the program of its record', () =>
    expect(answer(raspberryRequest('discover', pi), 'own.bin').packet.file).toBe('own.bin'));
});
