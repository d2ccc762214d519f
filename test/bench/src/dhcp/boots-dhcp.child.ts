// boots in a process of its own, its leases in JetStream; says on standard output when it answers. Machines come from a log in memory.
import { BootsConfig, startBoots } from '@tinkerbell/boots';
import { loadConfig } from '@tinkerbell/config';
import { parseHardware } from '@tinkerbell/domain';
import type { HardwareEvent } from '@tinkerbell/events';
import { InMemoryEventStore, JetStreamEventStore, openReadModels } from '@tinkerbell/event-store';
import { Leadership, NatsBus, subjects } from '@tinkerbell/messaging';
import { hardwareList, workflowList } from '@tinkerbell/projections';
import { macOf, reservedAddress } from './clients';

const env = (name: string) => process.env[name] ?? '';

async function register(store: InMemoryEventStore, clients: number): Promise<void> {
  for (let i = 0; i < clients; i++) {
    const id = `0eba0bf8-3772-4b4a-ab9f-${String(i).padStart(12, '0')}`;
    const ip = { address: reservedAddress(i), netmask: '255.255.0.0' };
    const interfaces = [{ dhcp: { mac: macOf(i), ip }, netboot: { allow_pxe: true } }];
    const hardware = parseHardware({ id, metadata: {}, network: { interfaces } });
    const registered: HardwareEvent = { type: 'HardwareRegistered', v: 4, data: { hardware } };
    const metadata = { id: `register-${i}`, actor: 'bench' };
    const expected = { position: 0, version: 0, hash: '' };
    await store.append(subjects.stream('hardware', id), [registered], { expected, metadata });
  }
}

async function main(): Promise<void> {
  const machines = new InMemoryEventStore();
  await register(machines, Number(env('BENCH_CLIENTS')));
  const projections = { hardware: hardwareList, workflows: workflowList };
  const { models } = await openReadModels({ store: machines, file: ':memory:', projections });
  const servers = env('BENCH_NATS');
  const bus = await NatsBus.connect({ servers, name: 'boots' });
  const store = await JetStreamEventStore.fromConnection(bus.connection, { servers, durability: 'fsync-each' });
  const config = loadConfig(BootsConfig, {
    ...{
      BOOTS_TFTP_PORT: 0,
      BOOTS_HTTP_PORT: 0,
      BOOTS_DHCP6_PORT: 0,
      BOOTS_SYSLOG: 'false',
      TINK_CA_SHA256: 'ab'.repeat(32),
    },
    ...process.env,
  });
  const data = env('BENCH_DATA');
  const boots = await startBoots(config, {
    ...{ store, ...models, leadership: new Leadership(bus.connection) },
    ...(data === '' ? {} : { leaseFolder: data }),
  });
  process.stdout.write(`${JSON.stringify({ http: boots.http.port })}\n`);
  process.once('SIGTERM', () => void boots.close().finally(() => process.exit(0)));
}

void main();
