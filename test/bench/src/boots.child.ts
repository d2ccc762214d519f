// boots in a process of its own, without DHCP, its log in memory; says on standard output which ports it has.
import { BootsConfig, startBoots } from '@tinkerbell/boots';
import { loadConfig } from '@tinkerbell/config';
import { InMemoryEventStore, openReadModels } from '@tinkerbell/event-store';
import { hardwareList, workflowList } from '@tinkerbell/projections';

async function main(): Promise<void> {
  const store = new InMemoryEventStore();
  const projections = { hardware: hardwareList, workflows: workflowList };
  const { models } = await openReadModels({ store, file: ':memory:', projections });
  const config = loadConfig(BootsConfig, {
    ...{
      PUBLIC_IP: '127.0.0.1',
      BOOTS_HTTP_ADDRESS: '127.0.0.1',
      BOOTS_DHCP: 'false',
      TINK_CA_SHA256: 'ab'.repeat(32),
    },
    ...{ BOOTS_TFTP_PORT: 0, BOOTS_HTTP_PORT: 0, ...process.env },
  });
  const boots = await startBoots(config, { store, ...models });
  process.stdout.write(`${JSON.stringify({ tftp: boots.tftp.port, http: boots.http.port })}\n`);
  process.once('SIGTERM', () => process.exit(0));
}

void main();
