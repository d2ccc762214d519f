import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { action, workflowId } from './testing/fake-server';
import { Crash } from './testing/life';
import { disk, world } from './testing/world';

const container = `tinkerbell_${workflowId}_0_1`;
const wipe = () => world([action('wipe')], [{ destructive: true }]);

function addDisk(name: string, serial: string): void {
  mkdirSync(join(disk(), 'sys/block', name), { recursive: true });
  writeFileSync(join(disk(), 'sys/block', name, 'serial'), serial);
}
beforeEach(() => addDisk('vda', 'serial-1'));

describe('a destructive action', () => {
  it('asks for its permit with the disks of the machine, after the pull and before the container', async () => {
    const { server, containers, start, done, effects, bus } = wipe();
    const order: string[] = [];
    containers.interfere = (point) => void order.push(point);
    bus.answer = (subject, body) => {
      if (subject.endsWith('.permit')) order.push('permit');
      return server.answer(subject, body);
    };
    await done(start().life);
    expect(server.permits).toMatchObject([
      { ...{ workflowId, index: 0, attempt: 1, bootId: 'boot-1' }, key: `U${'A'.repeat(55)}`, disks: ['serial-1'] },
    ]);
    expect(server.permits[0]?.nonce).toMatch(/^[0-9a-f]{32}$/);
    expect(order.slice(0, 3)).toEqual(['before:pull', 'permit', 'before:create']);
    expect(effects).toHaveLength(1);
  });

  it.each([
    ['refuses it', 'the disks of this machine are not the ones of its record'],
    ['is an older one that knows no permits', 'no permit'],
  ])('does not run when the server %s', async (_, message) => {
    const { server, containers, start, done, effects, bus } = world(
      [action('wipe', { onFailure: ['never'] })],
      [{ destructive: true }],
    );
    bus.answer = (subject, body) =>
      subject.endsWith('.permit') ? { err: { code: 'FORBIDDEN', message } } : server.answer(subject, body);
    await done(start().life);
    expect(server.finished).toMatchObject([{ outcome: 'failed', reason: 'refused', exitCode: null }]);
    expect(server.finished[0]?.message).toBe(`nothing ran: permit: ${message} (FORBIDDEN)`);
    expect(effects).toEqual([]);
    expect(containers.calls).toEqual([]);
    expect(server.handlers).toEqual([]);
  });

  it('runs under its permit with a server that takes no key', async () => {
    const { server, start, done, effects, bus } = wipe();
    const message = 'invalid request: key: should not exist';
    bus.answer = (subject, body) =>
      'key' in (body as object) ? { err: { code: 'INVALID', message } } : server.answer(subject, body);
    await done(start().life);
    expect(effects).toHaveLength(1);
    expect(server.permits).toHaveLength(1);
    expect(server.permits[0]).not.toHaveProperty('key');
  });

  it('waits for a server that does not know its start yet', async () => {
    const { server, start, done, effects, bus } = wipe();
    const nonces: string[] = [];
    bus.answer = (subject, body) => {
      if (!subject.endsWith('.permit')) return server.answer(subject, body);
      nonces.push((body as { nonce: string }).nonce);
      return nonces.length < 4 ? { err: { code: 'NOT_YET', message: 'not started' } } : server.answer(subject, body);
    };
    await done(start().life);
    expect(effects).toHaveLength(1);
    expect(nonces).toHaveLength(4);
    expect(new Set(nonces).size).toBe(1);
  });

  it('is not started under a permit that expired meanwhile', async () => {
    const { server, containers, start, done, effects } = wipe();
    server.permitSeconds = 0.001;
    containers.interfere = async (point) => {
      const begun = performance.now();
      while (point === 'after:create' && performance.now() - begun < 2)
        await new Promise((resolve) => setImmediate(resolve));
    };
    await done(start().life);
    expect(server.finished).toMatchObject([{ outcome: 'failed', reason: 'refused' }]);
    expect(server.finished[0]?.message).toContain('the permit expired');
    expect(effects).toEqual([]);
    expect(containers.calls).toEqual([`create ${container}`, `remove ${container}`]);
  });

  it('runs once, under one nonce, wherever its worker crashes', async () => {
    const points: string[] = [];
    const clean = wipe();
    const { life } = clean.start((point) => void points.push(point));
    await clean.done(life);
    await life.loop.stop();
    expect(points).toContain('ask permit:after');
    for (let k = 0; k < points.length; k++) {
      rmSync(disk(), { recursive: true, force: true });
      addDisk('vda', 'serial-1');
      const { server, effects, start, done, bus } = wipe();
      let count = 0;
      let where = '';
      const first = start((point) => {
        if (count++ !== k) return;
        where = point;
        throw new Crash();
      });
      await Promise.race([first.life.crashed, done(first.life)]);
      if (first.life.dead) void first.life.loop.stop();
      const nonces = new Set<string>();
      const answer = bus.answer;
      bus.answer = (subject, body) => {
        if (subject.endsWith('.permit')) nonces.add((body as { nonce: string }).nonce);
        return answer(subject, body);
      };
      const second = start();
      await done(second.life);
      const told = `crash ${k} at ${where}`;
      server.permits.forEach(({ nonce }) => nonces.add(nonce));
      expect(nonces.size, told).toBeLessThanOrEqual(1);
      const [result] = server.finished;
      expect(server.finished, told).toHaveLength(1);
      if (result?.reason === 'unknown-outcome') {
        expect(['journal:after', 'create:before', 'start:before'], told).toContain(where);
        expect(effects, told).toEqual([]);
      } else {
        expect(result, told).toMatchObject({ outcome: 'succeeded' });
        expect(effects, told).toEqual([container]);
        expect(server.permits, told).toHaveLength(1);
      }
      await second.life.loop.stop();
    }
  }, 60_000);
});
