import { describe, expect, it } from 'vitest';
import { LeaseBook } from './lease-book';
import { clientKey, type Lease, LeaseTable } from './lease-table';

const lease = (n: number, ip: string, over: Partial<Lease> = {}): Lease => ({
  mac: `02-00-00-00-${(n >> 8).toString(16).padStart(2, '0')}-${(n & 255).toString(16).padStart(2, '0')}`,
  ...{ hardwareId: null, clientId: null, ip, subnet: 'a', origin: 'pool', hostname: '', state: 'bound' },
  expiresAt: new Date(Date.UTC(2026, 0, 1) + n).toISOString(),
  ...over,
});
const ipOf = (n: number) => `10.${(n >> 16) & 255}.${(n >> 8) & 255}.${n & 255}`;

function randoms(seed: number): (below: number) => number {
  return (below) => {
    seed = (Math.imul(seed, 1103515245) + 12345) >>> 0;
    return (seed >>> 8) % below;
  };
}

/** What a book has to be, with nothing but maps. */
class Model {
  readonly byIp = new Map<string, Lease>();
  readonly byClient = new Map<string, string>();

  put(one: Lease, isLast: boolean): void {
    this.byIp.set(one.ip, one);
    if (isLast) this.byClient.set(clientKey(one), one.ip);
  }

  lastOf(key: string): Lease | undefined {
    const found = this.byIp.get(this.byClient.get(key) ?? '');
    return found && clientKey(found) === key ? found : undefined;
  }
}

/** Asked so often that to compare by the expectation itself would take most of the time. */
function expectAlike(one: Lease | undefined, other: Lease | undefined): void {
  if (JSON.stringify(one) !== JSON.stringify(other)) expect(one).toEqual(other);
}

const byIp = (leases: Iterable<Lease>) => new Map(Array.from(leases, (one) => [one.ip, one]));

describe('a lease in the table', () => {
  it.each<[string, Partial<Lease>]>([
    ['of a pool', {}],
    ['that is reserved', { origin: 'reservation', hardwareId: '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94', subnet: '' }],
    ['with all its texts', { clientId: 'ff00000001000200', hostname: 'node-1', hardwareId: 'h' }],
    ['with texts that are empty, not absent', { clientId: '', hardwareId: '' }],
    ['without a network card', { mac: null, clientId: '00aa' }],
    ['in quarantine', { state: 'conflict', mac: null }],
    ['that nobody wants any more', { state: 'released' }],
    ['of every MAC', { mac: 'ff-fe-fd-fc-fb-fa' }],
    ['with the last address', { ip: '255.255.255.255' }],
    ['with the first address', { ip: '0.0.0.0' }],
    ['whose host has a name in another script', { hostname: 'Prüfling-机器' }],
    ['with a name beyond all that a packet holds', { hostname: 'x'.repeat(70_000) }],
    ['with such a name in another script', { hostname: '机'.repeat(70_000) }],
    ['whose texts have what parts them', { hostname: 'a\0b', clientId: '\0' }],
    ['whose MAC is written otherwise', { mac: '02:00:00:00:00:01' }],
    ['whose address is written otherwise', { ip: '010.0.0.1' }],
    ['whose address is none', { ip: 'fd00::1' }],
    ['that ends in the year 9999', { expiresAt: '9999-12-31T23:59:59.999Z' }],
    ['whose end is written otherwise', { expiresAt: '2026-01-01T00:00:00Z' }],
  ])('%s is what it was', (_, over) => {
    const table = new LeaseTable();
    const [one, others] = [lease(1, '10.0.0.1', over), Array.from({ length: 1200 }, (_, n) => lease(n, ipOf(n + 500)))];
    for (const other of others.slice(0, 600)) table.put(other);
    table.putLast(one);
    for (const other of others.slice(600)) table.put(other);
    expect(table.get(one.ip)).toEqual(one);
    expect(table.lastOf(clientKey(one))).toEqual(one);
    expect([one.mac, '02-00-00-00-ff-ff'].map((mac) => table.isOf(one.ip, mac ?? ''))).toEqual([
      one.mac !== null,
      false,
    ]);
    expect(byIp(table.values()).get(one.ip)).toEqual(one);
    expect(table.size).toBe(1201);
  });

  it('is not another whose address has the same number by chance', () => {
    const table = new LeaseTable();
    table.put(lease(1, '10.0.0.1'));
    expect(table.get('010.0.0.1')).toBeUndefined();
    table.put(lease(2, '010.0.0.1'));
    expect([table.get('10.0.0.1')?.mac, table.get('010.0.0.1')?.mac, table.size]).toEqual([
      lease(1, '').mac,
      lease(2, '').mac,
      2,
    ]);
  });

  it('takes the room of its texts again when they change', () => {
    const table = new LeaseTable();
    const random = randoms(3);
    const known = new Map<string, Lease>();
    for (let step = 0; step < 8000; step++) {
      const one = lease(step, ipOf(random(40)), { hostname: 'x'.repeat(random(300)), clientId: `${step}` });
      table.put(one);
      known.set(one.ip, one);
    }
    expect(byIp(table.values())).toEqual(known);
  });
});

describe('a book of leases', () => {
  it('is what maps would be, however often it is settled', () => {
    const random = randoms(11);
    let book = LeaseBook.empty();
    const model = new Model();
    for (let step = 0; step < 15_000; step++) {
      const client = lease(random(300), ipOf(random(700)), {
        ...{ hostname: `n${step}`, clientId: random(4) === 0 ? `c${random(50)}` : null },
        expiresAt: new Date(Date.UTC(2026, 0, 1) + step).toISOString(),
      });
      const isLast = random(3) > 0;
      // Without a client of its own it is about the one that has the address.
      const one: Lease = isLast
        ? client
        : { ...(model.byIp.get(client.ip) ?? { ...client, mac: null, clientId: null }), state: 'expired' };
      book = isLast ? book.withLast(one) : book.with(one);
      model.put(one, isLast);
      if (random(50) === 0) book = book.settled();
      const asked = lease(random(300), '', { clientId: random(2) === 0 ? `c${random(50)}` : null });
      expectAlike(book.lastOf(clientKey(asked)), model.lastOf(clientKey(asked)));
      const ip = ipOf(random(700));
      expectAlike(book.get(ip), model.byIp.get(ip));
      const mac = asked.mac ?? '';
      if (book.isOf(ip, mac) !== (model.byIp.get(ip)?.mac === mac)) expect.fail(`isOf(${ip}, ${mac})`);
    }
    expect(byIp(book.values())).toEqual(model.byIp);
    expect(book.size).toBe(model.byIp.size);
  });

  it('stays as it was beside those made from it', () => {
    let before = LeaseBook.empty();
    for (let n = 0; n < 1000; n++) before = before.withLast(lease(n, ipOf(n)));
    before = before.settled();
    let after = before;
    for (let n = 0; n < 200; n++) after = after.withLast(lease(n + 5000, ipOf(n)));
    expect(before.get(ipOf(7))).toEqual(lease(7, ipOf(7)));
    expect(before.lastOf(clientKey(lease(7, '')))?.ip).toBe(ipOf(7));
    expect(after.get(ipOf(7))).toEqual(lease(5007, ipOf(7)));
    expect(after.lastOf(clientKey(lease(7, '')))).toBeUndefined();
    expect([before.size, after.size]).toEqual([1000, 1000]);
  });

  it('can be read through while later ones are settled: nothing is left out', () => {
    let book = LeaseBook.empty();
    for (let n = 0; n < 1000; n++) book = book.withLast(lease(n, ipOf(n)));
    const read = new Set<string>();
    for (const { ip } of book.values()) {
      read.add(ip);
      const n = read.size;
      book = book.withLast(lease(n + 2000, ipOf(n % 1000))).settled();
    }
    expect(read.size).toBe(1000);
  });
});
