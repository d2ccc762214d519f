// What a record may say is decided when it is pushed: nothing that is taken then may fail, or mean something else, when the machine boots.
import { InvalidDocumentError, parseHardware } from '@tinkerbell/domain';
import type { HardwareRecord } from '@tinkerbell/events';
import type { OsieBoot } from '@tinkerbell/ipxe';
import { describe, expect, it } from 'vitest';
import { grubSyntax, pxelinuxSyntax, raspberrySyntax } from '../loaders/loader-syntax';
import { chooseScript } from './choose-script';
import { ipxeSyntax, type ScriptSyntax } from './script-syntax';

const nasty = [
  ...['a\nreboot', 'a\r\nreboot', 'a\n', '\na', 'a\0b', 'a\tb', 'a\vb', 'a\u001b[2Jb', 'a\u007fb', 'a\u0085b'],
  ...['a b', ' a', 'a ', 'a\u00a0b', 'a\u2028b', 'a\u3000b', '\ufeffa', 'a\u202eb', 'ü', '内核', '👾', '\ud800', 'ａ'],
  ...['${net0/mac}', 'a${', '$${x}', 'a$${x}b', '$(reboot)', '`reboot`', '%{x}', '$root', '%00', 'a%0ab', '%24{x}'],
  ...['||', '&&', ';', 'a||b', 'a;b', '#', '#a', 'a#b', '--', '-a', '--name', '-', '!', '<a', '>a', 'a|b', 'a&b'],
  ...['"', "'", 'a"b', "a'b", "';reboot;'", 'a\\', 'a\\nb', '{a}', '[a]', '(tftp,a)', '*', '?', '~', '^', '='],
  ...['.', '..', '../a', 'a/..', 'a/../b', '/a', '//a', 'a/', 'a//b', './a', '..%2fa', 'a\\..\\b', '::a', 'a::b'],
  ...[',', 'a,', ',a', 'a,,b', 'a,b', '__proto__', 'initrd=a', 'x'.repeat(200), 'x'.repeat(4096), 'a '.repeat(2048)],
];
const urls = nasty.flatMap((value) => [
  value,
  `http://${value}`,
  `http://mirror/${value}`,
  `http://mirror:80/${value}`,
]);

const machine: Omit<OsieBoot, 'kernel' | 'initrds' | 'osieUrl' | 'console' | 'arch'> = {
  ...{ purpose: 'workflow', mac: '52:54:00:99:00:01', workerId: '0eba0bf8', vlanId: 0, token: 'T0KEN' },
  ...{ bootsUrl: 'http://10.99.0.1', tinkServerUrl: 'https://10.99.0.1:42124' },
  ...{ certUrl: 'http://10.99.0.1:42114/cert', caSha256: 'ab', extraArguments: [] },
};

const osieFields: Record<string, (value: string) => object> = {
  'osie.base_url': (base_url) => ({ osie: { base_url } }),
  'osie.kernel': (kernel) => ({ osie: { kernel } }),
  'osie.initrd': (initrd) => ({ osie: { initrd } }),
  'osie.kernel_params': (word) => ({ osie: { kernel_params: [word] } }),
  'osie.console': (console) => ({ osie: { console } }),
};

/** undefined: it is refused, with the field. */
function pushed(field: string, netboot: object): HardwareRecord | undefined {
  const dhcp = { mac: '52:54:00:99:00:01' };
  const wanted = { allow_pxe: true, allow_workflow: true, ...netboot };
  try {
    return parseHardware({
      id: '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94',
      network: { interfaces: [{ dhcp, netboot: wanted }] },
    });
  } catch (error) {
    if (!(error instanceof InvalidDocumentError)) throw error;
    for (const { path } of error.faults) expect(path).toContain(`network.interfaces[0].netboot.${field}`);
    return undefined;
  }
}

function text(syntax: ScriptSyntax, record: HardwareRecord): string {
  const [one] = record.network.interfaces;
  if (!one) throw new Error('no interface');
  const choice = chooseScript(
    { netboot: one.netboot, recordArch: '' },
    { allowed: true },
    null,
    'http://10.99.0.1/osie',
  );
  if (choice.script === 'local') throw new Error('no OSIE');
  if (choice.script === 'custom') return syntax.custom(choice);
  return syntax.osie({ ...machine, ...choice, extraArguments: choice.kernelParams });
}

const syntaxes = { iPXE: ipxeSyntax, GRUB: grubSyntax, PXELINUX: pxelinuxSyntax, 'a Raspberry Pi': raspberrySyntax };
/** GRUB knows HTTP at port 80 only, which a record for iPXE need not care about. */
const grubCannot = /GRUB fetches by HTTP from port 80 only/;

describe.each(Object.entries(osieFields))('%s of a record', (field, netbootOf) => {
  const values = field === 'osie.base_url' ? urls : field === 'osie.console' ? [...nasty, 'ttyS1,9600\n'] : nasty;
  it.each(values)('%j is refused when it is pushed, or is one word that boots', (value) => {
    const record = pushed(field, netbootOf(value));
    const plain = pushed(field, field === 'osie.initrd' ? netbootOf(value.split(',').fill('a').join()) : {});
    if (!record || !plain) return;
    for (const [name, syntax] of Object.entries(syntaxes)) {
      if (name === 'GRUB' && field === 'osie.base_url') {
        const attempt = () => text(syntax, record);
        if (!/^http:\/\/[^/:]+(?::80)?(?:\/|$)/i.test(value)) {
          expect(attempt).toThrow(grubCannot);
          continue;
        }
      }
      const script = text(syntax, record);
      expect(script).toMatch(/^[\x20-\x7e\n]*$/);
      expect(script.split('\n').length).toBe(text(syntax, plain).split('\n').length);
      expect(script).not.toContain(value.includes('${') ? value : '\0');
    }
  });
});

describe('as many kernel arguments as the kernel takes', () => {
  const words = (length: number) =>
    (
      'x'
        .repeat(99)
        .concat(' ')
        .repeat(30)
        .slice(0, length - 1) + 'x'
    ).split(' ');
  /** With the shortest settings that there can be. */
  const shortest = {
    ...{ bootsUrl: 'http://h', tinkServerUrl: 'https://h', certUrl: 'http://h', caSha256: 'c'.repeat(64) },
    ...{ workerId: '0eba0bf8-3772-4b4a-ab9f-6ebe93b90a94', token: 't'.repeat(43), osieUrl: 'http://h/osie' },
    ...{ kernel: 'k', initrds: [], console: '' },
    arch: 'x86_64' as const,
  };
  it.each([false, true])('are taken when they are pushed, and not one character more: rescue %s', (rescue) => {
    const isTaken = (length: number) =>
      pushed('osie', { rescue, osie: { kernel_params: words(length) } }) !== undefined;
    let longest = 1501;
    while (isTaken(longest + 1)) longest++;
    const boot = { ...machine, ...shortest, ...(rescue ? { purpose: 'rescue' as const, token: '' } : {}) };
    const script = (length: number) => ipxeSyntax.osie({ ...boot, extraArguments: words(length) });
    expect(script(longest)).toContain('quiet x');
    expect(() => script(longest + 1)).toThrow('2048 characters, 2047 fit');
    const own = { ipxe: { contents: '#!ipxe' }, osie: { kernel_params: words(longest + 1) } };
    expect(pushed('osie', own)).toBeDefined();
  });
});

describe('the script of a record', () => {
  it.each(urls)('at %j is refused when it is pushed, or is one word of iPXE', (url) => {
    const record = pushed('ipxe.url', { ipxe: { url } });
    if (!record || url === '') return;
    expect(text(ipxeSyntax, record)).toContain(`\nchain --autofree ${url} && goto chain_done ||\n`);
  });
  it.each(nasty)('%j as its boot program is refused when it is pushed, or is a name that boots serves', (value) => {
    const [one] = pushed('ipxe.binary', { ipxe: { binary: value } })?.network.interfaces ?? [];
    if (one) expect(one.netboot.ipxe.binary).toMatch(/^[A-Za-z0-9][\w.-]{0,127}$/);
  });
});
