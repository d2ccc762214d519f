import {
  bootRequestFailed,
  hardwareRecord,
  hardwareInterface,
  hardwareRegistered,
  leaseBound,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { AddressBook } from './address-book';
import { TestSite } from './site.testing';

const stranger = { hardwareId: null, reason: 'unknown-machine', detail: '' } as const;
const refused = (mac: string, count = 1, reason = 'unknown-machine') =>
  bootRequestFailed({ ...stranger, mac, count, reason });

async function bookOf(site: TestSite) {
  const book = new AddressBook(site.ports);
  const note = async (mac: string, ...events: readonly ReturnType<typeof refused>[]) => {
    await site.append('boot', mac, ...events);
    const { events: all } = await site.events.read(`tink.ev.default.boot.${mac}`);
    return all.slice(-events.length).map((each) => book.note(each));
  };
  return { book, note };
}

describe('the address book', () => {
  it('counts what a machine without a record is refused for the same cause, and shows the last', async () => {
    const { book, note } = await bookOf(new TestSite());
    const mac = '02-00-00-00-00-01';
    expect(await note(mac, refused(mac), refused(mac, 4))).toEqual([true, true]);
    expect(book.view().strangers).toMatchObject([{ id: '02:00:00:00:00:01', ip: '', notServed: { count: 5 } }]);
    await note(mac, refused(mac, 1, 'address-in-use'));
    expect(book.view().strangers[0]?.notServed?.count).toBe(1);
  });

  it('leaves out whoever has a record, also since', async () => {
    const site = new TestSite();
    const { book, note } = await bookOf(site);
    const mac = '02-00-00-00-00-01';
    expect(await note(mac, bootRequestFailed({ mac, hardwareId: 'h1' }))).toEqual([false]);
    await note(mac, refused(mac));
    expect(book.view().strangers).toHaveLength(1);
    const record = hardwareRecord({ network: { interfaces: [hardwareInterface(mac, '10.0.0.1')] } });
    await site.append('hardware', record.id, hardwareRegistered(record));
    expect(book.view().strangers).toEqual([]);
  });

  it('shows strangers in the order of their addresses', async () => {
    const site = new TestSite();
    const { book } = await bookOf(site);
    const ips = ['2001:db8::1', '10.0.0.100', '10.0.0.20', '10.0.10.1', '10.0.9.1'];
    const leases = ips.map((ip, n) => leaseBound({ ip, mac: `02-00-00-00-01-0${n}`, hardwareId: null }));
    await site.append('lease', 'default', ...leases);
    const shown = book.view().strangers.map(({ ip }) => ip);
    expect(shown).toEqual(['10.0.0.20', '10.0.0.100', '10.0.9.1', '10.0.10.1', '2001:db8::1']);
  });

  it('shows 200 strangers with an address, says how many more there are, and remembers 200 refused ones', async () => {
    const site = new TestSite();
    const { book, note } = await bookOf(site);
    const numbers = Array.from({ length: 205 }, (_, i) => i);
    const leases = numbers.map((n) => leaseBound({ ip: `10.0.${n}.1`, mac: `02-00-00-00-01-${n}`, hardwareId: null }));
    await site.append('lease', 'default', ...leases);
    expect(book.view().strangers).toHaveLength(200);
    expect(book.view().moreStrangers).toBe(5);
    for (const n of numbers) await note(`02-00-00-00-02-${n}`, refused(`02-00-00-00-02-${n}`));
    expect(book.view().strangers.filter(({ ip }) => ip === '')).toHaveLength(200);
  });
});
