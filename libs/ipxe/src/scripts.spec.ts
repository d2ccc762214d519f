import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  autoexecScript6,
  kernelArguments,
  chainScript,
  contentsScript,
  defaultOsieFiles,
  localBootScript,
  type OsieBoot,
  osieScript,
  UnsafeScriptValueError,
} from './index';

const boot: OsieBoot = {
  purpose: 'workflow',
  mac: '52:54:00:99:00:01',
  workerId: '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94',
  arch: 'x86_64',
  osieUrl: 'http://10.99.0.1/osie',
  ...defaultOsieFiles('x86_64'),
  bootsUrl: 'http://10.99.0.1',
  tinkServerUrl: 'https://10.99.0.1:42124',
  certUrl: 'http://10.99.0.1:42114/cert',
  caSha256: 'ab'.repeat(32),
  token: 'A'.repeat(43),
  console: '',
  extraArguments: [],
  vlanId: 0,
};

const six: OsieBoot = {
  ...boot,
  osieUrl: 'http://[fd99::1]/osie',
  bootsUrl: 'http://[fd99::1]',
  tinkServerUrl: 'https://[fd99::1]:42124',
  certUrl: 'http://[fd99::1]:42114/cert',
};

const goldens = {
  'osie-x86_64': osieScript(boot),
  'osie-aarch64': osieScript({ ...boot, arch: 'aarch64', ...defaultOsieFiles('aarch64'), extraArguments: ['quiet'] }),
  'osie-override': osieScript(
    {
      ...boot,
      osieUrl: 'http://mirror.example:8080/my-os',
      kernel: 'boot/bzImage',
      initrds: ['boot/initrd.img'],
      console: 'ttyS1,9600',
    },
    { attempts: 2, delaySeconds: 1 },
  ),
  'osie-static': osieScript({
    ...boot,
    vlanId: 100,
    network: {
      ...{ address: '10.99.0.11', netmask: '255.255.255.0', gateway: '10.99.0.1', hostname: 'node-1' },
      nameServers: ['10.99.0.1', '9.9.9.9'],
    },
  }),
  'osie-netroot': osieScript({
    ...boot,
    netRoot: { initrd: 'rootfs-x86_64', loader: 'netroot-x86_64', sha256: 'cd'.repeat(32), from: '' },
  }),
  'osie-ipv6': osieScript({ ...six, logServer: '[fd99::1]', hostname: 'node-1' }),
  'osie-static-ipv6': osieScript({
    ...six,
    logServer: '[fd99::1]:1514',
    network: {
      ...{ address: 'fd99::11', netmask: '64', gateway: 'fd99::1', hostname: 'node-1' },
      nameServers: ['fd99::1', '2001:db8::53'],
    },
  }),
  'autoexec-ipv6': autoexecScript6(),
  rescue: osieScript({ ...boot, purpose: 'rescue', token: '' }),
  discovery: osieScript({ ...boot, purpose: 'discovery', workerId: '' }),
  'local-boot': localBootScript(boot),
  'custom-chain': chainScript('http://mirror.example/${mac}/boot.ipxe'),
};

describe.each(Object.entries(goldens))('%s', (name, script) => {
  it('is the golden script', () => {
    const path = new URL(`../fixtures/${name}.ipxe`, import.meta.url);
    const golden = existsSync(path) ? readFileSync(path, 'utf8') : '';
    if (process.env['UPDATE_FIXTURES'] === '1') writeFileSync(path, script);
    // Also while updating: a run that rewrites what it checks proves nothing.
    expect(script).toBe(golden);
  });

  it('jumps to labels that exist', () => {
    const labels = [...script.matchAll(/^:(\w+)$/gm)].map(([, label]) => label);
    for (const [, target] of script.matchAll(/goto (\w+)/g)) expect(labels).toContain(target);
    expect(new Set(labels).size).toBe(labels.length);
  });
});

describe('scripts', () => {
  const hostile = {
    'a space': 'a b',
    'a line of its own': 'a\nshell',
    'a carriage return': 'a\rshell',
    'a tab': 'a\tb',
    'a NUL': 'a\u0000b',
    'an escape sequence': 'a\u001b[2J',
    'another alphabet': 'ü',
    'the end of a command': '||',
    'another command': '&&',
    'a semicolon': ';',
    'a comment': '#x',
    'something very long': 'x'.repeat(70_000),
  };
  describe.each(Object.entries(hostile))('%s', (_, value) => {
    it.each(Object.entries(withValue(value)))('is refused as %s', (_name, script) => {
      expect(script).toThrow(UnsafeScriptValueError);
    });
    it('is refused as the URL of a script', () => expect(() => chainScript(value)).toThrow(UnsafeScriptValueError));
  });

  const misread = {
    'an iPXE setting': 'a${net0/mac}b',
    'the beginning of one': 'a${',
    'a quotation': 'a"b',
    'an apostrophe': "a'b",
    'a backslash': 'a\\b',
    'a command of a shell': '`reboot`',
  };
  describe.each(Object.entries(misread))('%s', (_, value) => {
    it.each(Object.entries(withValue(value)))('is refused as %s', (_name, script) => {
      expect(script).toThrow(UnsafeScriptValueError);
    });
  });

  it('refuse what ends the kernel arguments, more of them than the kernel takes, and a path that leads up', () => {
    expect(() => osieScript({ ...boot, extraArguments: ['--'] })).toThrow('would end the arguments of the kernel');
    expect(() => osieScript({ ...boot, extraArguments: Array(30).fill('x'.repeat(60)) })).toThrow(/2047 fit/);
    expect(() => osieScript({ ...boot, initrds: Array(30).fill('x'.repeat(60)) })).toThrow(/2047 fit/);
    expect(() => osieScript({ ...boot, kernel: '../etc/passwd' })).toThrow('not the path of a file below our root');
    for (const initrd of ['a,b', 'a/', '/'])
      expect(() => osieScript({ ...boot, initrds: [initrd] })).toThrow(UnsafeScriptValueError);
  });

  it('name the field and cut what they show of it', () => {
    expect(() => osieScript({ ...boot, token: `${'y'.repeat(5000)}` })).toThrow(/^tink_token "y{199}…/);
  });

  it('let an operator use the settings of iPXE in the URL of a script', () =>
    expect(chainScript('http://m/${net0/mac}')).toContain('chain --autofree http://m/${net0/mac}'));

  it('let the arguments of the site and the record not stand in for ours', () => {
    const words = kernelArguments({ ...boot, extraArguments: ['tink_ca=00'] });
    expect(words.indexOf('tink_ca=00')).toBeLessThan(words.indexOf(`tink_ca=${boot.caSha256}`));
  });

  it('start with the line that iPXE knows a script by', () => {
    expect(contentsScript('shell')).toBe('#!ipxe\n\nshell\n');
    expect(contentsScript('#!ipxe\nshell\n')).toBe('#!ipxe\nshell\n');
  });
});

/** A script for every place that takes a value from a record, a setting or a machine. */
function withValue(value: string): Record<string, () => string> {
  const network = { address: value, netmask: value, gateway: value, hostname: value, nameServers: [value] };
  const over: Record<string, Partial<OsieBoot>> = {
    'MAC address': { mac: value },
    'worker id': { workerId: value === '' ? ' ' : value },
    'OSIE URL': { osieUrl: value },
    kernel: { kernel: value },
    initrd: { initrds: [value] },
    'URL of boots': { bootsUrl: value },
    'URL of tink-server': { tinkServerUrl: value },
    'URL of the certificate': { certUrl: value },
    digest: { caSha256: value },
    token: { token: value },
    console: { console: value },
    'kernel argument': { extraArguments: [value] },
    network: { network },
  };
  return Object.fromEntries(Object.entries(over).map(([name, part]) => [name, () => osieScript({ ...boot, ...part })]));
}
