import { ConflictError, InvalidDocumentError, NotFoundError } from '@tinkerbell/domain';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openMemory, type Memory } from '../testing/memory';
import { HardwareCommands } from './hardware-commands';

const user = { actor: 'user:ann' };
const idOf = (n: number) => `0eba0bf8-3772-4b4a-ab9f-${String(n).padStart(12, '0')}`;
const machine = (n: number, mac = `08:00:27:00:00:0${n}`, ip = `192.168.1.${n}`) => ({
  id: idOf(n),
  metadata: {},
  network: {
    interfaces: [
      { dhcp: { mac, ip: { address: ip, netmask: '255.255.255.0', gateway: '192.168.1.254' } }, netboot: {} },
    ],
  },
});

let memory: Memory;
let commands: HardwareCommands;
beforeEach(async () => {
  memory = await openMemory();
  commands = new HardwareCommands(memory.store, memory.reads);
});
afterEach(() => memory.close());

describe('pushing hardware', () => {
  it('makes it readable before it answers', async () => {
    const pushed = await commands.push(machine(1), user);
    expect(pushed).toMatchObject({ id: idOf(1), changed: true });
    expect(memory.reads.hardware.find('mac:08-00-27-00-00-01')?.id).toBe(idOf(1));
  });
  it('changes nothing when it is the same again', async () => {
    const first = await commands.push(machine(1), user);
    expect(await commands.push(machine(1), user)).toEqual({ ...first, changed: false, created: false });
  });
  it('tells a new record from one that takes the place of another, with what is different', async () => {
    expect(await commands.push(machine(1), user)).toMatchObject({ created: true, fields: [] });
    expect(await commands.push(machine(1, '52:54:00:12:34:56'), user)).toMatchObject({
      ...{ changed: true, created: false },
      fields: [{ path: 'network.interfaces[0].dhcp.mac', from: '08:00:27:00:00:01', to: '52:54:00:12:34:56' }],
    });
    await commands.delete(idOf(1), user);
    expect(await commands.push(machine(1), user)).toMatchObject({ created: true, fields: [] });
  });
  it('refuses a MAC and an IP of another machine', async () => {
    await commands.push(machine(1), user);
    await expect(commands.push(machine(2, '08:00:27:00:00:01'), user)).rejects.toThrow(/MAC.*08:00:27:00:00:01/);
    await expect(commands.push(machine(2, undefined, '192.168.1.1'), user)).rejects.toThrow(ConflictError);
    expect(await memory.eventsOf('hardware', idOf(2))).toEqual([]);
  });
  it('lets one of many racing pushes of the same MAC win', async () => {
    const pushes = [1, 2, 3, 4, 5, 6, 7, 8].map((n) => commands.push(machine(n, '08:00:27:00:00:01'), user));
    const results = await Promise.allSettled(pushes);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    expect(memory.reads.hardware.count()).toBe(1);
  });
  it('gives the MAC of deleted hardware to the next', async () => {
    await commands.push(machine(1), user);
    const [, second] = await Promise.all([
      commands.delete(idOf(1), user),
      commands.push(machine(2, '08:00:27:00:00:01'), user),
    ]);
    expect(second.changed).toBe(true);
  });
  it('refuses to replace another record than the one that was read', async () => {
    const read = await commands.push(machine(1), user);
    const changed = await commands.push(machine(1, undefined, '192.168.1.7'), user, read.position);
    expect(changed.changed).toBe(true);
    await expect(commands.push(machine(1, undefined, '192.168.1.8'), user, read.position)).rejects.toThrow(
      `hardware ${idOf(1)} has changed: its position is ${changed.position}, not ${read.position}`,
    );
    expect(await memory.eventsOf('hardware', idOf(1))).toHaveLength(2);
    const deleted = await commands.delete(idOf(1), user);
    await expect(commands.push(machine(1), user, changed.position)).rejects.toThrow(ConflictError);
    expect((await commands.push(machine(1), user, deleted.position)).changed).toBe(true);
  });
  it('refuses a faulty document whole', async () => {
    await expect(commands.push({ ...machine(1), id: 'x' }, user)).rejects.toThrow(InvalidDocumentError);
    await expect(commands.push(undefined, user)).rejects.toThrow(InvalidDocumentError);
    expect(await memory.store.lastPosition()).toBe(0);
  });
  it('does a keyed command once', async () => {
    const keyed = { ...user, key: 'k' };
    const first = await commands.push(machine(1), keyed);
    expect(await commands.push(machine(1), keyed)).toEqual({ ...first, changed: false, created: false });
    const deleted = await commands.delete(idOf(1), keyed);
    expect(deleted.changed).toBe(true);
    expect(await commands.delete(idOf(1), keyed)).toEqual({ ...deleted, changed: false });
  });
  it('knows nothing of a strange id', async () => {
    await expect(commands.delete(idOf(9), user)).rejects.toThrow(NotFoundError);
    await expect(commands.delete('a.*.>', user)).rejects.toThrow(NotFoundError);
  });
});
