import { type DhcpPacket, encodePacket, messageType, readOption } from '@tinkerbell/dhcp';
import { afterEach, describe, expect, it } from 'vitest';
import { type Bench, machineAddress, startBench } from '../boots.testing';
import { silentLogger } from '../logger';
import { requestOf } from './requests.testing';

let bench: Bench | undefined;
afterEach(async () => {
  await bench?.close();
  bench = undefined;
});

const xidAt = 4;
const renewals = 20;
const repeatMs = 1000;
/** Of an answer, at least: no machine is so fast that it can answer them all. */
const answerMs = 0.5;

/** A log whose every line takes that long. */
function slow(): void {
  for (const until = performance.now() + answerMs; performance.now() < until;);
}

/** So many DISCOVERs each turn of the event loop, until told to end. */
function flood({ relay }: Bench, atOnce: number): { end(): Promise<void> } {
  // Another relay: what is offered must not fill the socket that the renewals are answered to.
  const discover = encodePacket(requestOf('discover', [], { giaddr: '127.0.0.3' }));
  let isOver = false;
  let xid = 0x8000_0000;
  const sending = (async () => {
    while (!isOver) {
      for (let i = 0; i < atOnce; i++) {
        const message = Buffer.from(discover);
        message.writeUInt32BE(xid++, xidAt);
        relay(message);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  })();
  return {
    end: () => {
      isOver = true;
      return sending;
    },
  };
}

/** As a client: asks again until it is answered. */
async function asked({ dhcp }: Bench, packet: DhcpPacket): Promise<string> {
  for (;;) {
    const silence = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), repeatMs));
    const reply = await Promise.race([dhcp(packet), silence]);
    if (reply) return readOption(reply.options, messageType) ?? 'none';
  }
}

describe.each([
  { batches: 'true', atOnce: 500 },
  // Node takes 32 at most each turn; the system drops what is more, whatever it is.
  { batches: 'false', atOnce: 24 },
])('more than can be answered, BOOTS_UDP_BATCHES=$batches', ({ batches, atOnce }) => {
  it('machines that have an address keep it, what is too much is shed and told, and then all is well', async () => {
    const warnings: string[] = [];
    const log = { ...silentLogger, isQuiet: false, info: slow, warn: (text: string) => void warnings.push(text) };
    const own = (bench = await startBench({ settings: { BOOTS_UDP_BATCHES: batches }, log }));
    await own.lease();
    const shed = () => own.boots.metrics.total('dhcp_dropped_total', { reason: 'overload' });
    const flooding = flood(own, atOnce);
    const renewal = requestOf('request', [], { ciaddr: machineAddress });
    for (let i = 0; i < renewals || shed() === 0; i++) expect(await asked(own, renewal)).toBe('ack');
    await flooding.end();
    expect(await asked(own, requestOf('discover'))).toBe('offer');
    const health = JSON.parse((await own.http('/healthz')).body) as { readonly dhcpShed: number };
    expect(health.dhcpShed).toBeGreaterThan(0);
    expect(warnings.filter((text) => text.includes('more come than can be answered'))).toHaveLength(1);
  }, 50_000);
});
