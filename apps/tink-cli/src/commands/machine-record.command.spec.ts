import { parseHardware } from '@tinkerbell/domain';
import type { HardwareRecord } from '@tinkerbell/events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeTinkServer } from '../testing/fake-tink-server';
import { runTink } from '../testing/run-tink';
import { machineItem } from '../testing/samples';

let fake: FakeTinkServer;
let server: string;
beforeEach(async () => {
  fake = new FakeTinkServer();
  server = await fake.start();
});
afterEach(() => fake.close());

describe('tink machine record', () => {
  const inventory = {
    ...{ vendor: 'QEMU', product: 'PC', serial: '', uuid: '4C4C4544-0001-0001-0001-000000000001', arch: 'x86_64' },
    ...{ cpuModel: 'x', cpus: 2, memoryBytes: 1, disks: [] },
    interfaces: ['52-54-00-00-00-09', '08-00-27-00-00-01'].map((mac) => ({
      name: 'eth0',
      mac,
      driver: '',
      link: true,
    })),
  };
  const seen = { mac: '08-00-27-00-00-01', hardwareId: null, address: '10.0.0.9' };
  const discovered = (uuid = inventory.uuid) => ({
    event: { type: 'MachineDiscovered', v: 1, data: { ...seen, inventory: { ...inventory, uuid } } },
  });
  const record = async () =>
    JSON.parse((await runTink(['machine', 'record', seen.mac], { server })).out) as HardwareRecord;

  it('is made of the newest report, the network card that it booted from first, and can be pushed as it is', async () => {
    fake.on(`GET /api/machines/${seen.mac}`, { json: { ...machineItem(), ...seen, id: seen.mac } });
    fake.on('GET /api/events', { lines: [discovered('x'), discovered()] });
    const printed = await record();
    expect(fake.asked.at(-1)?.url).toBe(`/api/events?aggregate=boot&id=${seen.mac}&type=MachineDiscovered`);
    expect(printed).toMatchObject({ id: inventory.uuid.toLowerCase(), metadata: { discovered: inventory } });
    const parsed = parseHardware(printed);
    expect(parsed.network.interfaces.map(({ dhcp }) => dhcp.mac)).toEqual([seen.mac, '52-54-00-00-00-09']);
  });

  it.each(['', 'Not Specified', '00000000-0000-0000-0000-000000000000', 'ffffffff-ffff-ffff-ffff-ffffffffffff'])(
    'has an id of its own when the board has none: %j',
    async (uuid) => {
      fake.on(`GET /api/machines/${seen.mac}`, { json: { ...machineItem(), ...seen, id: seen.mac } });
      fake.on('GET /api/events', { lines: [discovered(uuid)] });
      expect((await record()).id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-4/);
    },
  );

  it('does not know a machine that never told', async () => {
    fake.on('GET /api/machines/node-1', { json: machineItem() });
    fake.on('GET /api/events', { lines: [] });
    const ran = await runTink(['machine', 'record', 'node-1'], { server });
    expect(ran).toMatchObject({ code: 4, err: 'Error: machine node-1 never told what it is made of\n' });
  });
});
