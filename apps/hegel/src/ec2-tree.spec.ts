import { describe, expect, it } from 'vitest';
import type { HardwareRecord, JsonObject } from '@tinkerbell/events';
import { ec2Text, type ListingForm } from './ec2-tree';
import { hardwareRow } from './rows.testing';

const { hardware: full } = hardwareRow('hegel-tinkerbellKantEC2.json');
const record = (metadata: JsonObject): HardwareRecord => ({ ...full, metadata });

/** Every path that a listing leads to, directories first. */
function crawl(hardware: HardwareRecord, form: ListingForm, path = ''): readonly string[] {
  const text = ec2Text(hardware, path, form) ?? '';
  return text.split('\n').flatMap((name) => {
    const child = `${path}/${name.replace(/\/$/, '')}`;
    return name.endsWith('/') ? [child, ...crawl(hardware, form, child)] : [child];
  });
}

describe('the EC2 tree', () => {
  it('lists names in order, with spot only when the instance has one', () => {
    const names =
      'facility\nhostname\ninstance-id\niqn\nlocal-hostname\nlocal-ipv4\noperating-system\nplan\npublic-ipv4\npublic-ipv6\npublic-keys';
    expect(ec2Text(full, '/meta-data', 'plain')).toBe(`${names}\ntags`);
    const spot = hardwareRow('hegel-tinkerbellKantEC2SpotEmpty.json').hardware;
    expect(ec2Text(spot, '/meta-data', 'plain')).toBe(`${names}\nspot\ntags`);
    expect(ec2Text(spot, '/meta-data/spot', 'plain')).toBe('termination-time');
    expect(ec2Text(spot, '/meta-data/spot/termination-time', 'plain')).toBe('');
  });

  it('ends directories with a slash in the form of today', () => {
    expect(ec2Text(full, '', 'slash')).toBe('meta-data/\nuser-data');
    expect(ec2Text(full, '/meta-data/operating-system', 'slash')).toBe(
      'distro\nimage_tag\nlicense_activation/\nslug\nversion',
    );
    expect(ec2Text(full, '/meta-data/operating-system', 'plain')).toBe(
      'distro\nimage_tag\nlicense_activation\nslug\nversion',
    );
  });

  it('lists nothing that cannot be asked for', () => {
    const spot = hardwareRow('hegel-tinkerbellKantEC2SpotWithTermination.json').hardware;
    const paths = crawl(spot, 'slash');
    expect(paths).toHaveLength(22);
    expect(paths.filter((path) => ec2Text(spot, path, 'slash') === undefined)).toEqual([]);
  });

  it('reads addresses by family and reach', () => {
    expect(ec2Text(full, '/meta-data/public-ipv4', 'plain')).toBe('139.175.86.114');
    expect(ec2Text(full, '/meta-data/public-ipv6', 'plain')).toBe('2604:1380:1000:ca00::7');
    expect(ec2Text(full, '/meta-data/local-ipv4', 'plain')).toBe('10.87.63.3');
  });

  it('gives an absent or misshapen value as nothing', () => {
    const odd: readonly JsonObject[] = [
      {},
      { instance: null },
      { instance: 'x' },
      { instance: { tags: 'x', network: [1] } },
    ];
    for (const metadata of odd) {
      for (const path of crawl(record(metadata), 'slash').filter((each) => each !== '/meta-data')) {
        if (!/operating-system$|license_activation$/.test(path))
          expect(ec2Text(record(metadata), path, 'plain')).toBe('');
      }
    }
  });

  it('does not mistake inherited names for items', () => {
    for (const path of ['/constructor', '/meta-data/toString', '/meta-data/__proto__', '/user-data/hostname']) {
      expect(ec2Text(full, path, 'plain')).toBeUndefined();
    }
  });
});
