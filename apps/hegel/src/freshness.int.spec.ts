import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '@tinkerbell/config';
import { hardwareDecider } from '@tinkerbell/domain';
import type { HardwareRecord } from '@tinkerbell/events';
import { handle, JetStreamEventStore, openReadModels, type ReadModels } from '@tinkerbell/event-store';
import { subjects } from '@tinkerbell/messaging';
import { startTestNats, type TestNats } from '@tinkerbell/nats';
import { hardwareList } from '@tinkerbell/projections';
import { hardwareInterface, hardwareRecord } from '@tinkerbell/testing';
import { HegelConfig } from './hegel.config';
import { startHegel, type RunningHegel } from './start-hegel';

const machine = hardwareRecord({ network: { interfaces: [hardwareInterface('52-54-00-00-00-01', '127.0.0.1')] } });
const changes = 25;

describe('a hardware change', () => {
  let folder: string;
  let nats: TestNats;
  let store: JetStreamEventStore;
  let read: ReadModels<{ hardware: typeof hardwareList }>;
  let hegel: RunningHegel;
  let commands = 0;

  const push = (hostname: string) => {
    const hardware: HardwareRecord = { ...machine, metadata: { instance: { hostname } } };
    const metadata = { id: `push-${++commands}`, actor: 'user:test' };
    const stream = subjects.stream('hardware', machine.id);
    return handle(store, hardwareDecider, stream, { type: 'RegisterHardware', hardware }, metadata);
  };
  const hostname = async () => {
    const response = await fetch(`http://127.0.0.1:${hegel.port}/2009-04-04/meta-data/hostname`);
    return response.ok ? response.text() : response.status;
  };

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'hegel-'));
    nats = await startTestNats();
    store = await JetStreamEventStore.connect({ ...nats.engine, name: 'hegel', allowLazySync: true });
    const projections = { hardware: hardwareList };
    read = await openReadModels({ store, file: join(folder, 'hegel.sqlite'), projections });
    const env = { HEGEL_HTTP_ADDRESS: '127.0.0.1', HEGEL_HTTP_PORT: '0' };
    hegel = await startHegel(loadConfig(HegelConfig, env), { hardware: read.models.hardware });
  });
  afterAll(async () => {
    await hegel.close();
    await read.close();
    await store.close();
    await nats.stop();
    await rm(folder, { recursive: true, force: true });
  });

  it('is what the machine reads next', async () => {
    expect(await hostname()).toBe(404);
    const milliseconds: number[] = [];
    for (let change = 0; change < changes; change++) {
      const name = `node-${change}`;
      await push(name);
      const stored = performance.now();
      await expect.poll(hostname, { interval: 1 }).toBe(name);
      milliseconds.push(performance.now() - stored);
    }
    milliseconds.sort((a, b) => a - b);
    const at = (share: number) => milliseconds[Math.floor(share * (changes - 1))]?.toFixed(1);
    console.log(`hegel serves a stored change after ${at(0.5)} ms (median of ${changes}), at most ${at(1)} ms`);
  });
});
