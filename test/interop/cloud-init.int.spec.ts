import { execFile, execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '@tinkerbell/config';
import { HegelConfig, startHegel, type RunningHegel } from '@tinkerbell/hegel';
import type { HardwareRecord } from '@tinkerbell/events';
import type { ReadModel } from '@tinkerbell/event-store';
import type { HardwareRow } from '@tinkerbell/projections';

/** Debian's cloud-init crawls hegel with its EC2 data source, as an installed system does at its first boot. */
const python = '/usr/bin/python3';
const crawl = `
import json, logging, sys
logging.disable(logging.CRITICAL)
from cloudinit import helpers, sources
from cloudinit.sources import DataSourceEc2 as module
module.identify_platform = lambda: module.CloudNames.UNKNOWN
cfg = {"datasource": {"Ec2": {"metadata_urls": [sys.argv[1]], "max_wait": 20, "timeout": 5}}}
ds = module.DataSourceEc2(cfg, None, helpers.Paths({"cloud_dir": sys.argv[2], "run_dir": sys.argv[2]}))
ok = ds._get_data()
print(json.dumps({
  "ok": ok,
  "instance_id": ds.get_instance_id() if ok else None,
  "hostname": ds.get_hostname().hostname if ok else None,
  "keys": ds.get_public_ssh_keys() if ok else None,
  "user_data": (ds.userdata_raw or b"").decode() if ok else None,
  "metadata": ds.metadata if ok else None,
}))
`;

function hasCloudInit(): boolean {
  if (!existsSync(python)) return false;
  try {
    execFileSync(python, ['-c', 'import cloudinit.sources.DataSourceEc2'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

interface Crawled {
  readonly ok: boolean;
  readonly instance_id: string;
  readonly hostname: string;
  readonly keys: readonly string[];
  readonly user_data: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

const keys = ['ssh-ed25519 AAAAC3NzaC1lZDI1 ada@example', 'ssh-rsa AAAAB3NzaC1yc2E bob@example'];
const metadata = {
  userdata: '#!/bin/bash\n\necho "Hello world!"',
  instance: {
    id: '7c9a5711-aadd-4fa0-8e57-789431626a27',
    hostname: 'tink-provisioner',
    plan: 'c3.small.x86',
    facility: 'sjc1',
    tags: ['hello', 'test'],
    ssh_keys: keys,
    operating_system: {
      slug: 'ubuntu_18_04',
      distro: 'ubuntu',
      version: '18.04',
      image_tag: 'f8f0331d',
      license_activation: { state: 'unlicensed' },
    },
    network: {
      addresses: [
        { address: '139.175.86.114', address_family: 4, public: true },
        { address: '2604:1380:1000:ca00::7', address_family: 6, public: true },
        { address: '10.87.63.3', address_family: 4, public: false },
      ],
    },
  },
};
const at = '2026-01-01T00:00:00.000Z';
const id = '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94';
const hardware: HardwareRecord = { id, version: 0, metadata, network: { interfaces: [] } };
const row: HardwareRow = { id, hardware, createdAt: at, updatedAt: at, position: 1 };
const find = (lookup: string) => (lookup === 'ip:127.0.0.1' ? row : undefined);
const rows: ReadModel<HardwareRow> = {
  get: (key) => (key === id ? row : undefined),
  find,
  findAll: (lookup) => [find(lookup)].flatMap((found) => found ?? []),
  list: () => [row],
  count: () => 1,
  onChange: () => () => undefined,
};

describe.skipIf(!hasCloudInit())("cloud-init's EC2 data source", () => {
  const running: RunningHegel[] = [];
  const start = async (slash: string) => {
    const hegel = await startHegel(
      loadConfig(HegelConfig, { HEGEL_HTTP_ADDRESS: '127.0.0.1', HEGEL_HTTP_PORT: '0', HEGEL_DIRECTORY_SLASH: slash }),
      { hardware: rows },
    );
    running.push(hegel);
    return hegel;
  };
  let plain: Crawled;
  let slash: Crawled;

  beforeAll(async () => {
    const run = async ({ port }: RunningHegel) => {
      const args = ['-c', crawl, `http://127.0.0.1:${port}`, '/nonexistent'];
      const { stdout } = await promisify(execFile)(python, args, { timeout: 60_000 });
      return JSON.parse(stdout) as Crawled;
    };
    plain = await run(await start('false'));
    slash = await run(await start('true'));
  });
  afterAll(() => Promise.all(running.map((each) => each.close())));

  it('finds the machine with either form of listing', () => {
    for (const found of [plain, slash]) {
      expect(found).toMatchObject({
        ok: true,
        instance_id: '7c9a5711-aadd-4fa0-8e57-789431626a27',
        hostname: 'tink-provisioner',
        keys,
        user_data: '#!/bin/bash\n\necho "Hello world!"',
      });
      expect(found.metadata).toMatchObject({
        facility: 'sjc1',
        plan: 'c3.small.x86',
        tags: ['hello', 'test'],
        'public-ipv4': '139.175.86.114',
        'public-ipv6': '2604:1380:1000:ca00::7',
        'local-ipv4': '10.87.63.3',
        'local-hostname': 'tink-provisioner',
      });
    }
  });

  it('walks into directories when listings mark them', () => {
    expect(slash.metadata['operating-system']).toEqual({
      distro: 'ubuntu',
      image_tag: 'f8f0331d',
      license_activation: { state: 'unlicensed' },
      slug: 'ubuntu_18_04',
      version: '18.04',
    });
  });
});
