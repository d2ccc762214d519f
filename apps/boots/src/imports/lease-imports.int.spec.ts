import { BusUnavailableError, type ForeignLease, LeaseImports, NatsBus, subjects } from '@tinkerbell/messaging';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const lease: ForeignLease = {
  ...{ ip: '10.0.0.1', mac: '02-00-00-00-00-01', clientId: null, hostname: '', state: 'bound', expiresAt: null },
};
const request = { leases: [lease], dryRun: false, actor: 'user:admin' };

let nats: TestNats;
let bus: NatsBus;
beforeAll(async () => {
  nats = await startTestNats();
  bus = await NatsBus.connect({ servers: nats.url, name: 'imports' });
});
afterAll(async () => {
  await bus.close();
  await nats.stop();
});

describe('leases that are handed over by NATS', () => {
  it('are told what became of them, in their order', async () => {
    const imports = new LeaseImports(bus.connection);
    const stop = imports.answer('told', async ({ leases }) => ({
      leases: leases.map(({ ip }) => ({ ip, result: 'bound' })),
    }));
    expect(await imports.ask('told', request)).toEqual({ leases: [{ ip: '10.0.0.1', result: 'bound' }] });
    stop();
  });

  it('are refused with the reason when they cannot be stored, or are none', async () => {
    const imports = new LeaseImports(bus.connection);
    const stop = imports.answer('full', () => Promise.reject(new Error('the disk is full')));
    await expect(imports.ask('full', request)).rejects.toThrow(
      'boots could not store the leases: Error: the disk is full',
    );
    const reply = await bus.connection.request(subjects.leaseImport('full'), 'no JSON', { timeout: 10_000 });
    expect(reply.json()).toEqual({ fault: expect.stringContaining('JSON') });
    await expect(imports.ask('full', request)).rejects.toThrow('the disk is full');
    stop();
  });

  it('are nobody’s where no boots gives out leases for the pool', async () => {
    const asking = new LeaseImports(bus.connection).ask('nobody', request);
    await expect(asking).rejects.toThrow(BusUnavailableError);
    await expect(asking).rejects.toThrow('lease pool nobody: no boots gives out leases for it');
  });
});
