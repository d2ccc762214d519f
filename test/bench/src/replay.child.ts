// One rebuild or one plain reading of the log, in a process of its own so that its memory is its own: replay.child ours|past|raw <url> <file>
import { JetStreamEventStore, openReadModels } from '@tinkerbell/event-store';
import { connectNats, streamNames } from '@tinkerbell/messaging';
import {
  hardwareList,
  leaseList,
  machineList,
  machineMeasures,
  templateList,
  workflowList,
  workflowMeasures,
} from '@tinkerbell/projections';

/** `past`: keeps what tink-server keeps of the past of its rows. */
async function ours(servers: string, file: string, past: boolean): Promise<number> {
  const store = await JetStreamEventStore.connect({ servers, name: 'replay', allowLazySync: true });
  const projections = {
    hardware: hardwareList,
    templates: templateList,
    workflows: workflowList,
    machines: machineList,
    leases: leaseList,
  };
  const history = past ? { workflows: workflowMeasures, machines: machineMeasures } : undefined;
  const { position, close } = await openReadModels({ store, file, projections, ...(history && { history }) });
  await close();
  await store.close();
  return position;
}

async function raw(servers: string): Promise<number> {
  const connection = await connectNats({ servers, name: 'raw' });
  const js = connection.jetstream();
  const { state } = await (await js.jetstreamManager()).streams.info(streamNames.events);
  const consumer = await js.consumers.get(streamNames.events);
  const decoder = new TextDecoder();
  let read = 0;
  for await (const message of await consumer.consume({ max_messages: 1000 })) {
    const parsed: unknown = JSON.parse(decoder.decode(message.data));
    if (typeof parsed === 'object') read++;
    if (message.seq >= state.last_seq) break;
  }
  void connection.close();
  return read;
}

async function main([mode = '', servers = '', file = '']: readonly string[]): Promise<void> {
  const began = performance.now();
  const events = mode === 'raw' ? await raw(servers) : await ours(servers, file, mode === 'past');
  const seconds = (performance.now() - began) / 1000;
  const { maxRSS, userCPUTime, systemCPUTime } = process.resourceUsage();
  const cpuSeconds = (userCPUTime + systemCPUTime) / 1e6;
  console.log(JSON.stringify({ events, seconds, cpuSeconds, megabytes: maxRSS / 1024 }));
  process.exit(0);
}

void main(process.argv.slice(2));
