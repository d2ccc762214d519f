import { afterAll, beforeAll, expect, it } from 'vitest';
// The receiver of tink-server's own specs.
// eslint-disable-next-line @nx/enforce-module-boundaries
import { WebhookReceiver } from '../../tink-server/src/testing/webhook-receiver';
import { startRealServer, type RealServer } from './testing/real-server';

let real: RealServer;
let receiver: WebhookReceiver;
beforeAll(async () => {
  [real, receiver] = await Promise.all([
    startRealServer({ TINK_WEBHOOK_NETWORKS: '127.0.0.1' }),
    WebhookReceiver.start(),
  ]);
});
afterAll(async () => {
  await receiver?.close();
  await real?.close();
});

const template =
  'version: "0.1"\nname: a\nglobal_timeout: 1\ntasks:\n  - name: t\n    worker: "{{.d}}"\n    actions:\n      - {name: a, image: a, timeout: 1}\n';
async function createTemplate(name: string): Promise<string> {
  const made = await real.bash(`printf '%s' '${template}' | tink template create -n ${name}`);
  expect(made).toMatchObject({ code: 0, err: '' });
  return made.out.trim().split(/\s+/).at(-1) ?? '';
}
const subjectsOf = (out: string) =>
  out
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { subject: string }).subject);

it('tink events subscribe goes on where it stopped, also when the server was started anew', async () => {
  const ids = [];
  for (const name of ['one', 'two', 'three']) ids.push(await createTemplate(name));
  const first = await real.tink.run([
    'events',
    'subscribe',
    'reader',
    '--filter',
    'template.*',
    '--from',
    'first',
    '--max',
    '2',
  ]);
  expect(first).toMatchObject({ code: 0, err: '' });
  expect(subjectsOf(first.out)).toEqual(ids.slice(0, 2));
  expect(JSON.parse(first.out.split('\n')[0] ?? '')).toMatchObject({
    specversion: '1.0',
    datacontenttype: 'application/json',
  });
  await real.harness.restart();
  const second = await real.tink.run(['events', 'subscribe', 'reader', '--max', '1']);
  expect(second).toMatchObject({ code: 0, err: '' });
  expect(subjectsOf(second.out)).toEqual(ids.slice(2));
});

it('tink subscription creates, shows, redelivers and deletes', async () => {
  const created = await real.tink.run([
    'subscription',
    'create',
    'hook',
    '--filter',
    'template.created',
    '--webhook',
    receiver.url,
  ]);
  expect(created.code).toBe(0);
  expect(created.out).toMatch(/^whsec_\S+\n$/);
  expect(created.err).toContain('shown once');
  const id = await createTemplate('four');
  await expect.poll(() => receiver.received.length).toBe(1);
  expect(receiver.received[0]?.headers['ce-subject']).toBe(id);

  const again = await real.tink.run(['subscription', 'redeliver', 'hook', '--event', receiver.ids[0] ?? '']);
  expect(again).toMatchObject({ code: 0, out: `Delivered\t${receiver.ids[0]}\n`, err: '' });
  receiver.answer = () => ({ status: 500 });
  const refused = await real.tink.run(['subscription', 'redeliver', 'hook', '--event', receiver.ids[0] ?? '']);
  expect(refused).toMatchObject({ code: 1, err: `Error\t${receiver.ids[0]}\tanswered 500\n` });
  expect(await real.tink.run(['subscription', 'redeliver', 'hook'])).toMatchObject({ code: 2 });
  expect(await real.tink.run(['subscription', 'redeliver', 'hook', '--all'])).toMatchObject({ code: 0, out: '' });

  const listed = await real.tink.run(['subscription', 'list']);
  expect(listed.out).toContain('hook');
  expect(listed.out).toContain('template.created');
  const shown = await real.tink.run(['subscription', 'get', 'hook', '-o', 'json']);
  expect(JSON.parse(shown.out)).toMatchObject({ name: 'hook', status: 'active', webhook: { url: receiver.url } });
  expect(await real.tink.run(['subscription', 'dead-letters', 'hook', '-o', 'json'])).toMatchObject({
    code: 0,
    out: '[]\n',
  });

  expect(await real.tink.run(['subscription', 'delete', 'hook'])).toMatchObject({ code: 0, out: 'Deleted\thook\n' });
  expect(await real.tink.run(['subscription', 'get', 'hook'])).toMatchObject({ code: 4 });
});

it('says what is wrong, with the field', async () => {
  const filter = await real.tink.run(['subscription', 'create', 'x', '--filter', 'workflow.nope']);
  expect(filter).toMatchObject({ code: 1, err: expect.stringContaining('those of workflow are created') });
  const target = await real.tink.run(['subscription', 'create', 'x', '--webhook', 'http://10.0.0.1/']);
  expect(target).toMatchObject({ code: 1, err: expect.stringContaining('TINK_WEBHOOK_NETWORKS') });
});
