import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { loadConfig } from '@tinkerbell/config';
import { answer, type Answer } from './answer';
import { HegelConfig } from './hegel.config';
import { InstanceIndex } from './instance-index';
import { fixtures, hardwareRow, MemoryHardware } from './rows.testing';
import { siteOf } from './site';

interface Case {
  readonly name: string;
  readonly url: string;
  readonly status: number;
  readonly body?: string | null;
  readonly json?: unknown;
  readonly empty_body?: boolean;
  readonly hardware: string;
  readonly custom_endpoints?: string | null;
  readonly trusted_proxies?: string;
  readonly x_forwarded_for?: string;
  readonly peer?: string;
}
interface Today {
  readonly url: string;
  readonly instance: Readonly<Record<string, string | readonly string[]>>;
  readonly body: string;
  readonly status: number;
}
const cases = JSON.parse(readFileSync(join(fixtures, 'hegel-ec2.json'), 'utf8')) as {
  seed_2020_ec2: { cases: Case[]; path_to_field: Record<string, string>; invalid_queries: string[] };
  seed_2020_trusted_proxies: { cases: Case[] };
  seed_2020_custom_endpoints: { cases: Case[] };
  seed_2020_custom_endpoint_bodies: { cases: Case[] };
  monorepo_tootles: {
    dynamic: Today[];
    instance_id_urls_when_enabled: Today[];
    instance_id_urls_when_disabled_404: string[];
    static: { url: string; body: string; status: number }[];
  };
};

function ask(hardware: MemoryHardware, env: Record<string, string>, path: string, more: Partial<Case> = {}): Answer {
  const site = siteOf(loadConfig(HegelConfig, env), { hardware }, new InstanceIndex(hardware));
  const peer = (more.peer ?? '192.168.1.5').replace(/:\d+$/, '');
  return answer({ method: 'GET', path, peer, forwardedFor: more.x_forwarded_for ?? '' }, site);
}

const kant = () => new MemoryHardware(hardwareRow('hegel-tinkerbellKantEC2.json'));

describe('the cases of the first hegel', () => {
  const all = [
    ...cases.seed_2020_ec2.cases,
    ...cases.seed_2020_trusted_proxies.cases,
    ...cases.seed_2020_custom_endpoints.cases,
    ...cases.seed_2020_custom_endpoint_bodies.cases,
  ];
  it.each(all.map((each) => [each.name, each] as const))('%s', (_name, each) => {
    const env = {
      TRUSTED_PROXIES: each.trusted_proxies ?? '',
      CUSTOM_ENDPOINTS: each.custom_endpoints ?? '',
    };
    const { status, body } = ask(new MemoryHardware(hardwareRow(each.hardware)), env, each.url, each);
    expect(status).toBe(each.status);
    if (typeof each.body === 'string') expect(body).toBe(each.body);
    if (each.json !== undefined) expect(JSON.parse(body)).toEqual(each.json);
    if (each.empty_body !== undefined) expect(body === '').toBe(each.empty_body);
  });

  it.each(Object.keys(cases.seed_2020_ec2.path_to_field))('serves %s with and without a trailing slash', (path) => {
    const plain = ask(kant(), {}, `/2009-04-04${path}`);
    expect(plain.status).toBe(200);
    expect(ask(kant(), {}, `/2009-04-04${path}/`)).toEqual(plain);
    expect(ask(kant(), {}, `/latest${path}`)).toEqual(plain);
  });

  it.each(cases.seed_2020_ec2.invalid_queries)('does not know %s', (path) =>
    expect(ask(kant(), {}, path)).toMatchObject({ status: 404, body: '404 not found' }),
  );
});

describe("the cases of today's tootles", () => {
  const env = { HEGEL_DIRECTORY_SLASH: 'true', HEGEL_INSTANCE_URLS: 'true' };
  const row = hardwareRow('hegel-tinkerbellKant.json');
  const first = (given: Today['instance'], name: string) => given[name] ?? null;
  /** Their flat record → our metadata. */
  const machine = (given: Today['instance']) =>
    new MemoryHardware({
      ...row,
      hardware: {
        ...row.hardware,
        metadata: {
          userdata: first(given, 'Userdata'),
          instance: {
            id: first(given, 'InstanceID'),
            hostname: given['Hostname'] ?? given['LocalHostname'] ?? null,
            plan: first(given, 'Plan'),
            tags: first(given, 'Tags'),
            operating_system: { distro: first(given, 'OS.Distro'), image_tag: first(given, 'OS.ImageTag') },
            network: {
              addresses: [
                { address: first(given, 'PublicIPv4'), address_family: 4, public: true },
                { address: first(given, 'LocalIPv4'), address_family: 4, public: false },
              ],
            },
          },
        },
      },
    });
  const { dynamic, instance_id_urls_when_enabled: byId, static: listings } = cases.monorepo_tootles;

  it.each([...dynamic, ...byId].map((each) => [each.url, each] as const))('%s', (url, each) => {
    expect(ask(machine(each.instance), env, url)).toMatchObject({ status: each.status, body: each.body });
    expect(ask(machine(each.instance), env, `${url}/`).body).toBe(each.body);
  });

  it.each(listings.map((each) => [each.url, each] as const))('lists %s', (url, each) =>
    expect(ask(machine({ InstanceID: 'instance-id-in-url' }), env, url)).toMatchObject({
      status: each.status,
      body: each.body,
    }),
  );

  it.each(cases.monorepo_tootles.instance_id_urls_when_disabled_404)('does not serve %s unless told to', (url) =>
    expect(ask(machine({ InstanceID: 'instance-id-in-url' }), {}, url).status).toBe(404),
  );
});

describe('errors', () => {
  it('are 405 for anything but GET', () => {
    const site = siteOf(loadConfig(HegelConfig, {}), { hardware: kant() }, new InstanceIndex(kant()));
    for (const method of ['POST', 'PUT', 'DELETE', 'HEAD', 'PATCH']) {
      expect(answer({ method, path: '/metadata', peer: '192.168.1.5', forwardedFor: '' }, site).status).toBe(405);
    }
  });
  it('are 404 for unknown machines, 400 for unknowable ones', () => {
    expect(ask(kant(), {}, '/metadata', { peer: '192.168.1.6' })).toMatchObject({
      status: 404,
      body: '404 no hardware with the address 192.168.1.6',
    });
    for (const peer of ['invalid', '']) expect(ask(kant(), {}, '/metadata', { peer }).status).toBe(400);
    expect(ask(kant(), { HEGEL_INSTANCE_URLS: 'true' }, '/tootles/instanceID/%zz/2009-04-04').status).toBe(400);
  });
  it('are 500 for a broken filter and a broken source', () => {
    const broken = ask(kant(), { CUSTOM_ENDPOINTS: '{"/x":".a["}' }, '/x');
    expect(broken).toMatchObject({ status: 500, body: expect.stringContaining('filter ".a["') as string });
    const find = () => {
      throw new Error('disk gone');
    };
    const site = { ...siteOf(loadConfig(HegelConfig, {}), { hardware: kant() }, new InstanceIndex(kant())) };
    const lost = answer(
      { method: 'GET', path: '/metadata', peer: '192.168.1.5', forwardedFor: '' },
      { ...site, hardware: { find } },
    );
    expect(lost).toMatchObject({ status: 500, body: '500 disk gone' });
  });
  it('name the setting that makes no sense', () => {
    expect(() => ask(kant(), { CUSTOM_ENDPOINTS: '{' }, '/')).toThrow('CUSTOM_ENDPOINTS');
    expect(() => ask(kant(), { CUSTOM_ENDPOINTS: '{"/a":1}' }, '/')).toThrow('the filter of /a is not a string');
    expect(() => ask(kant(), { TRUSTED_PROXIES: 'proxy.local' }, '/')).toThrow('TRUSTED_PROXIES: "proxy.local"');
    expect(() => ask(kant(), { HEGEL_INSTANCE_URLS: 'maybe' }, '/')).toThrow('HEGEL_INSTANCE_URLS');
  });
});

describe('the index of instance ids', () => {
  it('follows changes and deletions', () => {
    const rows = kant();
    const index = new InstanceIndex(rows);
    const row = hardwareRow('hegel-tinkerbellKantEC2.json');
    const renamed = { ...row, hardware: { ...row.hardware, metadata: { instance: { id: 'new' } } } };
    rows.put(row.id, renamed);
    expect(index.find('7c9a5711-aadd-4fa0-8e57-789431626a27')).toBeUndefined();
    expect(index.find('new')).toEqual(renamed);
    rows.put(row.id, undefined);
    expect(index.find('new')).toBeUndefined();
    index.close();
  });
});
