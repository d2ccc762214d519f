import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { loadConfig } from '@tinkerbell/config';
import { JetStreamEventStore, openReadModels } from '@tinkerbell/event-store';
import { NatsBus } from '@tinkerbell/messaging';
import { dhcpServerList, hardwareList, leaseList, machineList, poolList, workflowList } from '@tinkerbell/projections';
import { BusLogs } from './bus-logs';
import { DashboardConfig } from './dashboard.config';
import { StandaloneConfig } from './standalone.config';
import { startDashboard } from './start-dashboard';

const text = (file: string) => (file === '' ? undefined : readFileSync(file, 'utf8'));
const projections = {
  ...{ machines: machineList, workflows: workflowList, hardware: hardwareList },
  ...{ leases: leaseList, pools: poolList, dhcpServers: dhcpServerList },
};

async function main(): Promise<void> {
  const config = loadConfig(DashboardConfig, process.env);
  const { NATS_URL, NATS_CA_FILE, NATS_CREDS_FILE, DASHBOARD_DATA_DIR } = loadConfig(StandaloneConfig, process.env);
  const [ca, creds] = [text(NATS_CA_FILE), text(NATS_CREDS_FILE)];
  const login = { servers: NATS_URL, name: 'dashboard', ...(ca && { ca }), ...(creds && { creds }) };
  const bus = await NatsBus.connect(login);
  // Only writers have to insist on commits that reach the disk.
  const store = await JetStreamEventStore.fromConnection(bus.connection, { allowLazySync: true });
  const read = await openReadModels({ store, file: join(DASHBOARD_DATA_DIR, 'dashboard.sqlite'), projections });
  const dashboard = await startDashboard(config, { ...read.models, logs: new BusLogs(bus), events: store });
  console.log(`dashboard: ${dashboard.url}`);

  const stop = async (code: number) => {
    await dashboard.close();
    await read.close();
    await store.close();
    await bus.close();
    process.exit(code);
  };
  // Rows that are no longer kept up to date are worse than none: the supervisor starts us anew.
  void read.fault.then((error) => {
    console.error(`dashboard: ${error.message}`);
    return stop(1);
  });
  process.once('SIGTERM', () => void stop(0));
  process.once('SIGINT', () => void stop(0));
}

main().catch((error: unknown) => {
  console.error(`dashboard: ${error instanceof Error ? error.message : String(error)}`);
  process.exit(1);
});
