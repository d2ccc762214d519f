import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { machine, templateYaml } from '../testing/fixtures';
import { Harness } from '../testing/harness';

let harness: Harness;
beforeAll(async () => {
  harness = await Harness.start({ TINK_AUTH_USERNAME: 'ann', TINK_AUTH_PASSWORD: 'secret' });
});
afterAll(() => harness?.close());

const [first, second] = [machine(1), machine(2)];
const template = { id: '5f1b1a06-6f0c-4a39-9d5f-000000000001', name: 'one' };
const other = { id: '5f1b1a06-6f0c-4a39-9d5f-000000000002', name: 'two' };
const data = templateYaml([{ actions: [{}] }]);
/** Known when the workflow was made. */
let workflow = '';

const message = (msg: string) => ({ status: 'ok', msg: expect.stringContaining(msg) });

/** The routes of the originals in an order in which each finds what it needs: method, path, body and what the answer holds. */
const routes: readonly (readonly [string, () => string, unknown, unknown])[] = [
  ['POST', () => '/v1/hardware', first, message('hardware data pushed successfully')],
  ['POST', () => '/v1/hardware', second, message('hardware data pushed successfully')],
  ['POST', () => '/v1/hardware/mac', { mac: first.mac }, { id: first.id }],
  ['POST', () => '/v1/hardware/ip', { ip: first.ip }, { id: first.id }],
  ['GET', () => '/v1/hardware', undefined, first.id],
  ['GET', () => `/v1/hardware/${first.id}`, undefined, { id: first.id }],
  ['POST', () => '/v1/templates', { ...template, data }, { id: template.id }],
  ['POST', () => '/v1/templates', { ...other, data }, { id: other.id }],
  ['GET', () => `/v1/templates/${template.id}`, undefined, template],
  ['GET', () => '/v1/templates/name/one', undefined, template],
  ['GET', () => '/v1/templates?name=o*', undefined, template.id],
  [
    'POST',
    () => '/v1/workflows',
    { template: template.id, hardware: JSON.stringify({ device_1: first.mac }) },
    { id: expect.stringMatching(/^[0-9a-f-]{36}$/) },
  ],
  ['GET', () => '/v1/workflows', undefined, template.id],
  ['GET', () => `/v1/workflows/${workflow}`, undefined, { state: 'STATE_PENDING' }],
  ['GET', () => `/v1/workflows/${workflow}/state`, undefined, { total_number_of_actions: '1' }],
  ['GET', () => `/v1/workflows/${workflow}/events`, undefined, ''],
  ['DELETE', () => `/v1/workflows/${workflow}`, undefined, message('')],
  ['DELETE', () => `/v1/templates/${template.id}`, undefined, message('')],
  ['DELETE', () => '/v1/templates/name/two', undefined, message('')],
  ['DELETE', () => `/v1/hardware/${second.id}`, undefined, message('')],
];

describe('REST of the originals', () => {
  it.each(routes)('%s, route %#', async (method, path, body, wanted) => {
    const send = (auth?: string) => {
      const rest = harness.rest(auth);
      if (method === 'POST') return rest.post<{ id?: string }>(path(), body);
      return method === 'GET' ? rest.get<{ id?: string }>(path()) : rest.delete<{ id?: string }>(path());
    };
    const before = await harness.store.lastPosition();
    for (const auth of [undefined, 'ann:wrong', 'ann:', ':secret']) {
      const refused = await send(auth);
      expect(refused.status).toBe(401);
      expect(refused.headers['www-authenticate']).toMatch(/^Basic/);
      expect(refused.text).not.toContain(first.id);
    }
    expect(await harness.store.lastPosition()).toBe(before);

    const answer = await send('ann:secret');
    expect(answer.status, answer.text).toBeGreaterThanOrEqual(200);
    expect(answer.status, answer.text).toBeLessThan(300);
    if (typeof wanted === 'string') expect(answer.text).toContain(wanted);
    else expect(answer.body).toMatchObject(wanted as object);
    if (method === 'POST' && path() === '/v1/workflows') workflow = answer.body.id ?? '';
  });

  it.each([
    ['/v1/hardware/none', 'GET'],
    ['/v1/templates/none', 'DELETE'],
    ['/v1/workflows/none/state', 'GET'],
  ])('%s is not found', async (path, method) => {
    const rest = harness.rest('ann:secret');
    expect((await (method === 'GET' ? rest.get(path) : rest.delete(path))).status).toBe(404);
  });
});
