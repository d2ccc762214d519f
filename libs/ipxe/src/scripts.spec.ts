import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  chainScript,
  contentsScript,
  defaultOsieFiles,
  localBootScript,
  type OsieBoot,
  osieScript,
  UnsafeScriptValueError,
} from './index';

const boot: OsieBoot = {
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
};

const goldens = {
  'osie-x86_64': osieScript(boot),
  'osie-aarch64': osieScript({ ...boot, arch: 'aarch64', ...defaultOsieFiles('aarch64'), extraArguments: ['quiet'] }),
  'osie-override': osieScript({
    ...boot,
    osieUrl: 'http://mirror.example:8080/my-os',
    kernel: 'boot/bzImage',
    initrds: ['boot/initrd.img'],
    retry: { attempts: 2, delaySeconds: 1 },
  }),
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
  it.each(['a b', 'a\nshell', '', 'ü', 'a\u0000'])('refuse %j as a value', (value) => {
    expect(() => osieScript({ ...boot, kernel: value })).toThrow(UnsafeScriptValueError);
    expect(() => osieScript({ ...boot, extraArguments: [value] })).toThrow(UnsafeScriptValueError);
    expect(() => chainScript(value)).toThrow(UnsafeScriptValueError);
  });

  it('start with the line that iPXE knows a script by', () => {
    expect(contentsScript('shell')).toBe('#!ipxe\n\nshell\n');
    expect(contentsScript('#!ipxe\nshell\n')).toBe('#!ipxe\nshell\n');
  });
});
