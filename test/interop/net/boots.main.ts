// boots in a process of its own, so that it can live in a network namespace: real service, log in memory or on a nats-server, events on
// standard output.
import { BootsConfig, type MachineLog, startBoots, streamLogger } from '@tinkerbell/boots';
import { loadConfig } from '@tinkerbell/config';
import type { AnyEvent, HardwareRecord } from '@tinkerbell/events';
import { type EventStore, InMemoryEventStore, JetStreamEventStore, openReadModels } from '@tinkerbell/event-store';
import { Leadership, NatsBus, subjects } from '@tinkerbell/messaging';
import { ensureStreams } from '@tinkerbell/nats';
import { hardwareList, workflowList } from '@tinkerbell/projections';
import type { BootsInput, BootsLine } from './boots-process';

async function main(): Promise<void> {
  const input = JSON.parse(process.env['BOOTS_INPUT'] ?? '{}') as BootsInput;
  const log = streamLogger(process.stderr, 'debug');
  const { store, bus, leadership } = await openLog(input);
  for (const { aggregate, id, event } of seed(input)) await append(store, subjects.stream(aggregate, id), event);
  const projections = { hardware: hardwareList, workflows: workflowList };
  const rows = await openReadModels({ store, file: ':memory:', projections });
  const { hardware, workflows } = rows.models;
  const boots = await startBoots(loadConfig(BootsConfig, input.settings), {
    ...{ store, hardware, workflows, log },
    ...(leadership && { leadership }),
    ...(input.syslog && { machineLog }),
    ...(input.leaseFolder !== undefined && { leaseFolder: input.leaseFolder }),
  });
  const stopped = new AbortController();
  process.once('SIGTERM', () => stopped.abort());
  say({ ready: { dhcp: boots.dhcp?.port ?? 0, tftp: boots.tftp.port, http: boots.http.port } });
  for await (const commit of store.subscribe({ after: 0, signal: stopped.signal })) {
    for (const { event, aggregate, aggregateId } of commit.events)
      say({ aggregate, id: aggregateId, event: event as AnyEvent });
  }
  await boots.close();
  await rows.close();
  await store.close();
  await bus?.close();
}

const machineLog: MachineLog = {
  write: (...[, , line]) => Promise.resolve(say({ logged: line })),
};

async function openLog({ natsUrl }: BootsInput) {
  if (natsUrl === undefined) return { store: new InMemoryEventStore({}) };
  const bus = await NatsBus.connect({ servers: natsUrl, name: 'boots' });
  await ensureStreams(bus.connection);
  const store = await JetStreamEventStore.fromConnection(bus.connection, {
    servers: natsUrl,
    durability: 'fsync-each',
  });
  return { store, bus, leadership: new Leadership(bus.connection) };
}

function* seed({ hardware, events = [] }: BootsInput) {
  for (const record of hardware) yield { aggregate: 'hardware' as const, id: record.id, event: registered(record) };
  yield* events;
}

function registered(hardware: HardwareRecord): AnyEvent {
  return { type: 'HardwareRegistered', v: 4, data: { hardware } };
}

async function append(store: EventStore, stream: string, event: AnyEvent): Promise<void> {
  const { head } = await store.read(stream);
  await store.append(stream, [event], { expected: head, metadata: { id: crypto.randomUUID(), actor: 'test' } });
}

function say(line: BootsLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

void main();
