import { ConflictError } from '@tinkerbell/domain';
import { InMemoryEventStore } from '@tinkerbell/event-store';
import type { Recorded } from '@tinkerbell/events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HardwareCommands } from '../hardware/hardware-commands';
import { openTinkReadModels, ProjectedReads, type TinkReadModels } from '../projected-reads';
import { TemplateCommands } from '../template/template-commands';

const user = { actor: 'user:ann' };
const mac = '08:00:27:00:00:01';
const idOf = (n: number) => `0eba0bf8-3772-4b4a-ab9f-${String(n).padStart(12, '0')}`;
const machine = (n: number, address = mac) => ({
  id: idOf(n),
  metadata: {},
  network: { interfaces: [{ dhcp: { mac: address }, netboot: {} }] },
});
const yaml = [
  ...['version: "0.1"', 'name: n', 'global_timeout: 0', 'tasks:', '  - name: t', '    worker: "{{.device_1}}"'],
  ...['    actions:', '      - name: a', '        image: hello', '        timeout: 60', ''],
].join('\n');

let store: InMemoryEventStore;
const opened: TinkReadModels[] = [];
beforeEach(() => (store = new InMemoryEventStore()));
afterEach(async () => {
  for (const readModels of opened.splice(0)) await readModels.close();
  await store.close();
});

/** A server of its own on the same log. */
async function server() {
  const readModels = await openTinkReadModels(store, ':memory:');
  opened.push(readModels);
  const reads = new ProjectedReads(readModels);
  return { hardware: new HardwareCommands(store, reads), templates: new TemplateCommands(store, reads) };
}

/** Stops the server's writes to a stream, as a process that is paused between its claim and its record. */
function pauseBefore(stream: string): { readonly reached: Promise<void>; goOn(): void } {
  const append = store.append.bind(store);
  let goOn: () => void = () => undefined;
  const paused = new Promise<void>((resolve) => (goOn = resolve));
  const reached = new Promise<void>((resolve) => {
    store.append = async (to, events, options) => {
      if (to === stream) {
        store.append = append;
        resolve();
        await paused;
      }
      return append(to, events, options);
    };
  });
  return { reached, goOn };
}

const typesOf = async (aggregate: string, id: string) =>
  (await store.read(`tink.ev.default.${aggregate}.${id}`)).events.map(({ event }: Recorded) => event.type);

describe('servers that race', () => {
  it('for one MAC: one of them wins, the others get a clear conflict', async () => {
    const servers = await Promise.all([server(), server(), server()]);
    for (let round = 0; round < 20; round++) {
      const address = `08:00:27:00:01:${String(round).padStart(2, '0')}`;
      const pushes = servers.map(({ hardware }, i) => hardware.push(machine(round * 10 + i, address), user));
      const results = await Promise.allSettled(pushes);
      const refused = results.flatMap((result) => (result.status === 'rejected' ? [result.reason as unknown] : []));
      expect(refused).toHaveLength(2);
      for (const error of refused) expect(error).toBeInstanceOf(ConflictError);
      expect(String(refused[0])).toContain(address);
    }
  });

  it('for one template name', async () => {
    const servers = await Promise.all([server(), server()]);
    const results = await Promise.allSettled(
      servers.map(({ templates }) => templates.create({ name: 'debian', data: yaml }, user)),
    );
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });

  it('with crossed addresses do not wait for each other', async () => {
    const [a, b] = await Promise.all([server(), server()]);
    const both = (n: number, addresses: readonly string[]) => ({
      ...machine(n),
      network: { interfaces: addresses.map((address) => ({ dhcp: { mac: address }, netboot: {} })) },
    });
    const other = '08:00:27:00:00:02';
    const results = await Promise.allSettled([
      a.hardware.push(both(1, [mac, other]), user),
      b.hardware.push(both(2, [other, mac]), user),
    ]);
    expect(results.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
  });
});

describe('a claim', () => {
  it('whose owner crashed before it wrote its record blocks nobody for ever', async () => {
    const [crashed, next] = await Promise.all([server(), server()]);
    const pause = pauseBefore(`tink.ev.default.hardware.${idOf(1)}`);
    void crashed.hardware.push(machine(1), user).catch(() => undefined); // never goes on
    await pause.reached;
    expect(await next.hardware.push(machine(2), user)).toMatchObject({ changed: true });
    expect(await typesOf('hardware', idOf(2))).toEqual(['HardwareRegistered']);
  });

  it('of an owner that was only paused is lost to it: the address has one owner', async () => {
    const [slow, next] = await Promise.all([server(), server()]);
    const pause = pauseBefore(`tink.ev.default.hardware.${idOf(1)}`);
    const late = slow.hardware.push(machine(1), user);
    await pause.reached;
    await next.hardware.push(machine(2), user);
    pause.goOn();
    await expect(late).rejects.toThrow(ConflictError);
    expect(await typesOf('hardware', idOf(1))).toEqual(['HardwareDeleted']);
  });

  it('is spent when its owner has given the address up: the next gets it at once', async () => {
    const [one, two] = await Promise.all([server(), server()]);
    await one.hardware.push(machine(1), user);
    await one.hardware.push(machine(1, '08:00:27:00:00:09'), user);
    const before = await store.lastPosition();
    await two.hardware.push(machine(2), user);
    expect((await store.lastPosition()) - before).toBe(2); // the claim and the record, no fence
    await one.hardware.delete(idOf(1), user);
    await two.hardware.push(machine(2, '08:00:27:00:00:09'), user);
  });

  it('is not taken for what a record has already', async () => {
    const { hardware } = await server();
    await hardware.push(machine(1), user);
    const before = await store.lastPosition();
    await hardware.push({ ...machine(1), metadata: { changed: true } }, user);
    expect((await store.lastPosition()) - before).toBe(1);
  });
});
