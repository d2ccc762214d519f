import type { AnyEvent, Recorded } from '@tinkerbell/events';
import { hardwareList, leaseList, machineList, templateList, workflowList } from '@tinkerbell/projections';
import {
  actionCancelled,
  actionFailed,
  actionSpec,
  actionStarted,
  actionSucceeded,
  bootScriptServed,
  enrolmentTokenIssued,
  hardwareId,
  hardwareInterface,
  hardwareRecord,
  hardwareRegistered,
  leaseBound,
  machinePhonedHome,
  netbootOffered,
  recorded,
  templateCreated,
  templateId,
  workerEnrolled,
  workflowCreated,
} from '@tinkerbell/testing';
import { describe, expect, it } from 'vitest';
import { bundleLines, MalformedBundleError, readBundle, redactBundle, type Bundle } from './bundle';
import { rowsOf } from './explain/scene';
import { storyOf } from './story';

const secrets = {
  root: '$6$rounds=4096$saltsalt$hashedhashedhashed',
  image: 'registry-Passw0rd!',
  join: 'abcdef.0123456789abcdef',
  userdata: '#cloud-config\nchpasswd: {list: "root:hunter2hunter2"}',
  sshKey: 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIBtoolong admin@example',
  url: 'sw0rdf1sh',
  pem: '-----BEGIN EC PRIVATE KEY-----\nMHcCAQEEIFoobar\n-----END EC PRIVATE KEY-----',
  token: 'a'.repeat(64),
};

const yaml = `version: "0.1"
tasks:
  - name: "os"
    worker: "{{.device_1}}"
    environment:
      REGISTRY_PASSWORD: ${secrets.image}
      API_TOKEN: "{{ .Token }}"
      SSH_AUTHORIZED_KEYS: |
        ${secrets.sshKey}
        ssh-rsa second
      DISK: /dev/sda
    actions: []
`;

const hardware = hardwareRecord({
  metadata: {
    instance: {
      hostname: 'server001',
      crypted_root_password: secrets.root,
      ssh_keys: [secrets.sshKey],
      userdata: secrets.userdata,
      storage: { disks: [{ device: '/dev/sda', wipe_table: true }] },
    },
  },
  network: {
    interfaces: [
      hardwareInterface('08-00-27-00-00-01', '192.168.1.5', {
        ipxe: { url: `https://boot:${secrets.url}@example.test/menu`, contents: 'set password: x', binary: '' },
      }),
    ],
  },
});

const specs = [
  actionSpec({
    name: 'write',
    environment: [`REGISTRY_PASSWORD=${secrets.image}`, 'DISK=/dev/sda', `COMMENT=not ${secrets.image}`, 'TOKEN='],
    command: ['install', `--token=${secrets.join}`, '--password', 'short', '--disk', '/dev/sda'],
    onFailure: ['sh', '-c', `curl -H 'Authorization: Bearer ${secrets.join}' http://x`],
  }),
  actionSpec({ name: 'key', command: [secrets.pem] }),
];

const events: readonly Recorded<AnyEvent>[] = [
  ...recorded('hardware', hardwareId, [hardwareRegistered(hardware)], 1),
  ...recorded('template', templateId, [templateCreated('install', yaml)], 3),
  ...recorded('workflow', 'w-1', [workflowCreated(specs)], 4),
  ...recorded('lease', 'default', [leaseBound()], 6),
  ...recorded('boot', '08-00-27-00-00-01', [netbootOffered(), bootScriptServed({ tokenHash: secrets.token })], 7),
  ...recorded(
    'enrolment',
    hardwareId,
    [enrolmentTokenIssued(secrets.token), workerEnrolled({ tokenHash: secrets.token })],
    9,
  ),
  ...recorded(
    'workflow',
    'w-1',
    [actionStarted(0), actionSucceeded(0), actionFailed(1, { message: `refused ${secrets.join}` })],
    12,
  ),
  ...recorded('boot', '08-00-27-00-00-01', [machinePhonedHome({ body: `{"password":"${secrets.image}"}` })], 20),
  ...recorded('boot', '08-00-27-00-00-01', [netbootOffered()], 30),
];
const line = (text: string, second: number) => ({
  workflowId: 'w-1',
  index: 0,
  action: 'write',
  task: 'os',
  at: new Date(Date.UTC(2026, 0, 1) + second * 1000).toISOString(),
  stream: 'stdout',
  line: text,
});
const bundle: Bundle = {
  header: {
    bundle: 1,
    kind: 'workflow',
    id: 'w-1',
    at: '2026-01-01T01:00:00.000Z',
    position: 40,
    graceSeconds: 30,
    cancelGraceSeconds: 60,
  },
  events,
  lines: [line(`login with ${secrets.image}`, 13), line('45 % of /dev/sda', 13)],
  durations: new Map([['image:hello-world', { count: 1, buckets: { '0': 1 } }]]),
};
const write = (which: Bundle) => [...bundleLines(which)].map((each) => `${JSON.stringify(each)}\n`).join('');

describe('a bundle', () => {
  const text = write(redactBundle(bundle).bundle);

  it.each(Object.entries(secrets))('has no trace of a secret: %s', (_name, secret) => {
    expect(write(bundle)).toContain(JSON.stringify(secret).slice(1, -1));
    for (const part of secret.split('\n')) {
      if (!/^-----|^#cloud-config$/.test(part)) expect(text).not.toContain(JSON.stringify(part).slice(1, -1));
    }
    expect(text).not.toContain('MHcCAQ');
  });

  it('has none in what actions left for later ones, nor in what their workers said', () => {
    const attempt = { index: 0, attempt: 1, workerId: hardwareId };
    const said: readonly AnyEvent[] = [
      actionSucceeded(0, { outputs: { password: 'hunter2hunter2', disk: '/dev/sda', note: `used ${secrets.join}` } }),
      actionCancelled(1, { message: `stopped: --password=${secrets.url} /dev/sda` }),
      {
        type: 'ReportRefused',
        v: 1,
        data: { ...attempt, kind: 'finish', outcome: null, code: 'ILLEGAL_TRANSITION', message: `of hunter2hunter2` },
      },
    ];
    const withSaid = { ...bundle, events: [...events, ...recorded('workflow', 'w-1', said, 40)] };
    const [succeeded, cancelled, refused] = redactBundle(withSaid)
      .bundle.events.slice(-3)
      .map(({ event }) => event.data);
    expect(succeeded).toMatchObject({ outputs: { password: '[removed]', disk: '/dev/sda', note: 'used [removed]' } });
    expect(cancelled).toMatchObject({ message: 'stopped: --password=[removed] /dev/sda' });
    expect(refused).toMatchObject({ ...attempt, message: 'of [removed]', code: 'ILLEGAL_TRANSITION' });
  });

  it.each([
    ['stopped: --password=swordfish now', 'stopped: --password=[removed] now'],
    ['failed: password: swordfish now', 'failed: password: [removed] now'],
    ['got https://example.test/x?token=swordfish', 'got https://example.test/x?token=[removed]'],
    ['{"error": "password=swordfish"}', '{"error": "password=[removed]"}'],
    ['level=info disk=/dev/sda', 'level=info disk=/dev/sda'],
  ])('finds a secret behind a name that is none: %s', (said, told) => {
    const { lines } = redactBundle({ ...bundle, events: [], lines: [line(said, 1)] }).bundle;
    expect(lines.map((each) => each.line)).toEqual([told]);
  });

  it('keeps what is no secret, and says where one was', () => {
    const { bundle: clean } = redactBundle(bundle);
    const workflow = rowsOf(workflowList, clean.events).get('w-1');
    expect(workflow?.actions[0]?.spec).toMatchObject({
      environment: ['REGISTRY_PASSWORD=[removed]', 'DISK=/dev/sda', 'COMMENT=not [removed]', 'TOKEN='],
      command: ['install', '--token=[removed]', '--password', 'short', '--disk', '/dev/sda'],
    });
    expect(rowsOf(hardwareList, clean.events).get(hardwareId)?.hardware.metadata).toEqual({
      instance: {
        hostname: 'server001',
        crypted_root_password: '[removed]',
        ssh_keys: ['[removed]'],
        userdata: '[removed]',
        storage: { disks: [{ device: '/dev/sda', wipe_table: true }] },
      },
    });
    const template = rowsOf(templateList, clean.events).get(templateId)?.data;
    expect(template).toContain('      REGISTRY_PASSWORD: [removed]\n      API_TOKEN: "{{ .Token }}"\n');
    expect(template).toContain(
      '      SSH_AUTHORIZED_KEYS: |\n        [removed]\n      DISK: /dev/sda\n    actions: []\n',
    );
    expect(clean.lines.map((each) => each.line)).toEqual(['login with [removed]', '45 % of /dev/sda']);
  });

  it('makes elsewhere the rows that are here, without their secrets', () => {
    const { redact } = redactBundle(bundle);
    const elsewhere = readBundle(text);
    for (const projection of [hardwareList, templateList, workflowList, machineList, leaseList] as const) {
      const here = [...rowsOf<AnyEvent, object>(projection as never, events)];
      const there = [...rowsOf<AnyEvent, object>(projection as never, elsewhere.events)];
      expect(here.length).toBeGreaterThan(0);
      expect(there).toEqual(here.map(([key, row]) => [key, redact(row)]));
    }
    expect(elsewhere.header).toEqual(bundle.header);
    expect(elsewhere.durations).toEqual(bundle.durations);
  });

  it('is the same each time, and nothing more can be taken from it', () => {
    expect(write(redactBundle(bundle).bundle)).toBe(text);
    expect(write(redactBundle(readBundle(text)).bundle)).toBe(text);
  });

  it('is refused when it is something else, or not all of one', () => {
    const lines = text.trimEnd().split('\n');
    const faults: readonly (readonly [string, string])[] = [
      ['', 'line 1: this is not a bundle'],
      ['{"bundle":2}', 'line 1: this is not a bundle'],
      [lines.slice(0, -1).join('\n'), 'is not complete'],
      [[...lines.slice(0, 4), ...lines.slice(5)].join('\n'), 'is not complete'],
      [[lines[0], '{"commit":{"stream":"x"}}'].join('\n'), 'line 2: this is not a commit'],
      [[lines[0], '[1]'].join('\n'), 'line 2: this is not a JSON object'],
      [text.slice(0, 300), 'this is not JSON'],
    ];
    for (const [wrong, fault] of faults) {
      expect(() => readBundle(wrong)).toThrow(MalformedBundleError);
      expect(() => readBundle(wrong)).toThrow(fault);
    }
  });
});

it('a story goes from the order to the machine that calls home, in the order in which it happened', () => {
  const told = storyOf(bundle, 'w-1').map((happening) =>
    happening.kind === 'line' ? happening.line.line : happening.recorded.event.type,
  );
  expect(told).toEqual([
    'WorkflowCreated',
    'LeaseBound',
    'NetbootOffered',
    'BootScriptServed',
    'EnrolmentTokenIssued',
    'WorkerEnrolled',
    'ActionStarted',
    // Before its action ended, whatever the clock of the worker said.
    `login with ${secrets.image}`,
    '45 % of /dev/sda',
    'ActionSucceeded',
    'ActionFailed',
    'MachinePhonedHome',
  ]);
  expect(storyOf(bundle, 'w-2')).toEqual([]);
});

it('a line is told as long after the start of its action as its worker wrote it, though the clocks differ', () => {
  const startedAt = '2030-05-05T05:05:05.000Z';
  const run = recorded(
    'workflow',
    'w-1',
    [workflowCreated(specs), actionStarted(0, { startedAt }), actionSucceeded(0)],
    10,
  );
  const said = { ...line('one', 0), at: '2030-05-05T05:05:05.400Z' };
  const [, start, told, end] = storyOf({ events: run, lines: [said] }, 'w-1');
  expect([told?.kind, end?.kind]).toEqual(['line', 'event']);
  expect((told?.at ?? 0) - (start?.at ?? 0)).toBe(400);
});
