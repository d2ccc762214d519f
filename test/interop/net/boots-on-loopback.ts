import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BootsConfig, startBoots } from '@tinkerbell/boots';
import { loadConfig } from '@tinkerbell/config';
import type { AnyEvent } from '@tinkerbell/events';
import { InMemoryEventStore, openReadModels } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { hardwareList, workflowList } from '@tinkerbell/projections';
import { hardwareInterface, hardwareRecord, hardwareRegistered } from '@tinkerbell/testing';

export const machineMac = '02-00-00-00-00-01';

/** TFTP and HTTP of boots in this process; DHCP is off, so machines are known by their reserved address, here 127.0.0.1. */
export async function startBootsOnLoopback(
  files: Readonly<Record<string, Uint8Array>>,
  settings: Readonly<Record<string, unknown>> = {},
) {
  const folder = await mkdtemp(join(tmpdir(), 'boots-'));
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes);
  const store = new InMemoryEventStore();
  const machine = hardwareRecord({ network: { interfaces: [hardwareInterface(machineMac, '127.0.0.1')] } });
  const stream = subjects.stream('hardware', machine.id);
  const { head } = await store.read(stream);
  const metadata = { id: crypto.randomUUID(), actor: 'test' };
  await store.append(stream, [hardwareRegistered(machine)], { expected: head, metadata });
  const projections = { hardware: hardwareList, workflows: workflowList };
  const rows = await openReadModels({ store, file: ':memory:', projections });
  const config = loadConfig(BootsConfig, {
    ...{ PUBLIC_IP: '127.0.0.1', BOOTS_DHCP: 'false', BOOTS_TFTP_PORT: 0, BOOTS_HTTP_PORT: 0 },
    ...{ BOOTS_IPXE_DIR: folder, TINK_CA_SHA256: 'ab'.repeat(32), ...settings },
  });
  const { hardware, workflows } = rows.models;
  const boots = await startBoots(config, { store, hardware, workflows });
  return {
    ...boots,
    folder,
    events: async () =>
      (await store.read<AnyEvent>(subjects.stream('boot', machineMac))).events.map(({ event }) => event),
    async close() {
      await boots.close();
      await rows.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
