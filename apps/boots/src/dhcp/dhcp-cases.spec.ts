// The tables of the originals' own tests (Apache-2.0). What does not apply here, and why:
// - seed set_pxe_filename with plan or hw_state/instance state: the record has neither plan nor state; whether a machine may netboot
//   follows from its workflows. "/nonexistent" for an iPXE that may not netboot: it gets the script that boots its disk instead.
// - seed allow_pxe of the instance, is_special_os: one owner of the flag, the interface; OS-specific installers are workflows here.
// - bootfile "firmware ipxe"/"tftp …": an iPXE ROM gets its script at once, and a program only when the record names one.
// - reservation "inform": we answer INFORM (RFC 2131 §4.3.5). Option 43 sub-option 69 (trace): no trace is kept.
// - proxy "backend error": the read model is local and has no errors. raspberry_pi: three spaces more (raspberry-pi.spec.ts).
import { readFileSync } from 'node:fs';
import {
  circuitId,
  clientMachineId,
  decodeSubOptions,
  domainSearch,
  messageType,
  type MessageType,
  option,
  readOption,
  userClass,
  vendorClass,
} from '@tinkerbell/dhcp';
import type { HardwareDhcp } from '@tinkerbell/events';
import { describe, expect, it } from 'vitest';
import { bootClientOf, isNetbootClient } from './boot-client';
import { binaryFor, bootFile, type MacFormat } from './boot-file';
import { replyDestination } from './destination';
import { respond } from './dhcp.responder';
import { contextOf, firmware, hardwareId, mac, requestOf, reservation } from './requests.testing';

type Opts = Readonly<Record<string, string | number>>;
interface Reservation {
  readonly name: string;
  readonly server?: {
    readonly netboot?: boolean;
    readonly http_bin?: string;
    readonly tftp_bin?: string;
    readonly mac_format?: MacFormat;
  };
  readonly ipxe_script_url?: string;
  readonly backend?: string;
  readonly request: Opts;
  readonly routes?: readonly (readonly [string, string])[];
  readonly reply: null | {
    readonly file: string;
    readonly options: Readonly<Record<string, unknown>>;
    readonly [field: string]: unknown;
  };
}
interface Cases {
  readonly seed_2020_boots: {
    readonly set_pxe_filename: readonly {
      readonly in: {
        readonly hw_state: string;
        readonly plan: string;
        readonly allow_pxe: boolean;
        readonly is_own_ipxe: boolean;
        readonly uefi: boolean;
        readonly arm: boolean;
      };
      readonly filename: string;
    }[];
    readonly circuit_id: {
      readonly cases: readonly {
        readonly name: string;
        readonly option82_latin1?: string;
        readonly want: string;
        readonly error?: string;
      }[];
    };
  };
  readonly monorepo: {
    readonly is_netboot_client: {
      readonly cases: readonly { readonly name: string; readonly opts: Opts; readonly want: boolean }[];
    };
    readonly bootfile: {
      readonly cases: readonly {
        readonly name: string;
        readonly user_class?: string;
        readonly client?: 'HTTPClient';
        readonly script?: string;
        readonly binary?: string;
        readonly mac_format?: MacFormat;
        readonly http_bin?: string;
        readonly tftp_bin?: string;
        readonly want: string;
      }[];
    };
    readonly arch_to_binary: Readonly<Record<string, string>>;
    readonly arch: readonly { readonly name: string; readonly opt93: number; readonly want: number }[];
    readonly new_info: readonly {
      readonly name: string;
      readonly opt93: number;
      readonly opt60: string;
      readonly user_class?: string;
      readonly override?: Readonly<Record<string, string>>;
      readonly want: { readonly netboot: boolean; readonly client?: string; readonly binary: string };
    }[];
    readonly reservation: { readonly cases: readonly Reservation[] };
    readonly dhcp_only_when_66_or_67_set: {
      readonly request: Opts;
      readonly cases: readonly {
        readonly tftp_server_name: string;
        readonly boot_file_name: string;
        readonly option43: boolean;
      }[];
    };
    readonly proxy: {
      readonly cases: readonly {
        readonly name: string;
        readonly request: Opts | null;
        readonly backend?: string;
        readonly hardware_ipxe_binary?: string;
        readonly reply: null | {
          readonly options: Readonly<Record<string, unknown>>;
          readonly [field: string]: unknown;
        };
      }[];
    };
    readonly reply_destination: readonly { readonly peer: string; readonly giaddr: string; readonly want: string }[];
  };
}
const cases = JSON.parse(readFileSync(new URL('../../fixtures/dhcp-cases.json', import.meta.url), 'utf8')) as Cases;
const hex = (text: string) => Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));

function packetOf(opts: Opts) {
  const text = (code: string) => (opts[code] === undefined ? undefined : String(opts[code]));
  const type = (text('53') ?? 'DISCOVER').toLowerCase() as MessageType;
  const arch =
    opts['93'] === undefined ? [] : [[93, Uint8Array.of(Number(opts['93']) >> 8, Number(opts['93']) & 255)] as const];
  const vendor = text('60');
  const klass = text('77');
  return requestOf(type, [
    ...arch,
    ...(vendor === undefined ? [] : [option(vendorClass, vendor)]),
    ...(klass === undefined ? [] : [option(userClass, { form: 'raw', classes: [klass] })]),
    ...['94', '97'].flatMap((code) =>
      text(code) === undefined ? [] : [[Number(code), hex(text(code) ?? '')] as const],
    ),
  ]);
}

describe('is_netboot_client', () => {
  it.each(cases.monorepo.is_netboot_client.cases)('$name', ({ opts, want }) =>
    expect(isNetbootClient(packetOf(opts))).toBe(want),
  );
  it('is one with all of them', () => expect(isNetbootClient(requestOf('discover', firmware(7)))).toBe(true));
});

describe('arch_to_binary', () => {
  it.each(Object.entries(cases.monorepo.arch_to_binary))('%s → %s', (arch, binary) =>
    expect(binaryFor(Number(arch))).toBe(binary),
  );
});

describe('arch', () => {
  it.each(cases.monorepo.arch)('$name', ({ opt93, want }) =>
    expect(bootClientOf(requestOf('discover', firmware(opt93)))?.arch).toBe(want),
  );
});

describe('new_info', () => {
  it.each(cases.monorepo.new_info)('$name', ({ opt93, opt60, user_class, override = {}, want }) => {
    const packet = packetOf({
      53: 'DISCOVER',
      60: opt60,
      93: opt93,
      94: '010300',
      ...(user_class ? { 77: user_class } : {}),
    });
    expect(isNetbootClient(packet)).toBe(want.netboot);
    expect(binaryFor(opt93, override)).toBe(want.binary);
    // A user class of ours is more than the firmware behind it: the script follows.
    if (want.client !== undefined) expect(opt60.startsWith(want.client)).toBe(true);
    expect(bootClientOf(packet)?.kind).toBe(user_class ? 'iPXE' : opt60.split(':')[0]);
  });
});

describe('bootfile', () => {
  it.each(cases.monorepo.bootfile.cases.filter(({ script }) => script === undefined))('$name', (wanted) => {
    const { user_class: klass = '', client, binary = '', mac_format: macFormat = 'colon', http_bin, tftp_bin } = wanted;
    const kind = klass === 'iPXE' ? 'iPXE' : (client ?? 'PXEClient');
    const urls = { tftp: tftp_bin ?? '', http: http_bin ?? '', macFormat, binaries: {} };
    const wish = {
      client: { kind, arch: 0, userClass: klass, isRaspberryPi: false },
      mac,
      binary,
      chained: '',
      mayNetboot: true,
      ticket: '',
    } as const;
    expect(bootFile(wish, urls)).toBe(wanted.want);
  });
  it('ipxe script', () => {
    const client = { kind: 'iPXE', arch: 0, userClass: 'Tinkerbell', isRaspberryPi: false } as const;
    const urls = { tftp: '', http: 'http://1.2.3.4', macFormat: 'empty', binaries: {} } as const;
    expect(bootFile({ client, mac, binary: 'x.kpxe', chained: '', mayNetboot: true, ticket: '' }, urls)).toBe(
      'http://1.2.3.4/auto.ipxe',
    );
  });
});

describe('set_pxe_filename', () => {
  const applicable = cases.seed_2020_boots.set_pxe_filename.filter(
    ({ in: given, filename }) => given.plan === '0' && !given.is_own_ipxe && filename !== '',
  );
  it('has cases left', () => expect(applicable.length).toBe(2));
  it.each(applicable)('$filename', ({ in: { uefi, arm }, filename }) =>
    expect(binaryFor(arm ? 11 : uefi ? 7 : 0)).toBe(filename),
  );
});

describe('circuit_id', () => {
  const bytes = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
  it.each(cases.seed_2020_boots.circuit_id.cases)('$name', ({ option82_latin1: text, want, error }) => {
    const read = () => circuitId(text === undefined ? new Uint8Array() : bytes(text));
    if (error === undefined) expect(read()).toBe(want);
    else expect(read).toThrow(/option 82/);
  });
});

describe('reply_destination', () => {
  it.each(cases.monorepo.reply_destination)('$want', ({ peer, giaddr, want }) => {
    // A client that can be seen at an address has it, and says so in ciaddr.
    const [ciaddr = ''] = peer.split(':');
    const { address, port } = replyDestination(requestOf('request', [], { ciaddr, giaddr }), 'ack');
    expect(`${address}:${port === 'server' ? 67 : 68}`).toBe(want);
  });
});

describe('reservation', () => {
  const applicable = cases.monorepo.reservation.cases.filter(
    ({ request, backend }) => request['53'] !== 'INFORM' && backend !== 'error',
  );
  it('has cases left', () => expect(applicable.length).toBeGreaterThanOrEqual(5));

  it.each(applicable)('$name', ({ server = {}, ipxe_script_url, backend, request, routes, reply }) => {
    const isChained = reply?.file.startsWith('tftp://') ?? false;
    const machine = { mac, hardwareId, interface: reservation(routesOf(routes), isChained ? 'undionly.kpxe' : '') };
    const script = ipxe_script_url?.replace('/auto.ipxe', '');
    const base = contextOf();
    const urls = {
      ...base.server.urls,
      http: script ?? server.http_bin ?? 'http://127.0.0.1',
      macFormat: script === undefined ? (server.mac_format ?? 'colon') : ('empty' as const),
    };
    const { machine: _, ...unknown } = contextOf({ server: { ...base.server, urls } });
    const decision = respond(packetOf(request), backend === 'not found' ? unknown : { ...unknown, machine });
    if (reply === null) {
      expect(decision.kind).toBe('ignore');
      return;
    }
    if (decision.kind !== 'reply') throw new Error(`no reply: ${JSON.stringify(decision)}`);
    const { ciaddr, yiaddr, siaddr, giaddr, file } = decision.packet;
    expect({ ciaddr, yiaddr, siaddr, giaddr, file }).toEqual({
      ...{ ciaddr: reply['ciaddr'], yiaddr: reply['yiaddr'], siaddr: reply['siaddr'], giaddr: reply['giaddr'] },
      file: reply.file,
    });
    expectOptions(decision.packet.options, reply.options);
    expect(decision.packet.options.has(60)).toBe('60' in reply.options);
  });
});

function routesOf(routes: Reservation['routes']): Partial<HardwareDhcp> {
  const value = routes?.map(([destination, router]) => ({ destination, router }));
  return value ? { options: [{ code: 121, type: 'routes', value }] } : {};
}

describe('dhcp_only_when_66_or_67_set', () => {
  const { request, cases: all } = cases.monorepo.dhcp_only_when_66_or_67_set;
  it.each(all)('66 "$tftp_server_name", 67 "$boot_file_name"', ({ tftp_server_name, boot_file_name, option43 }) => {
    const given = [
      { code: 66, type: 'text', value: tftp_server_name },
      { code: 67, type: 'text', value: boot_file_name },
    ] as const;
    const options = given.filter(({ value }) => value !== '');
    const machine = { mac, hardwareId, interface: reservation({ options }) };
    const decision = respond(packetOf(request), contextOf({ machine }));
    if (decision.kind !== 'reply') throw new Error(decision.kind);
    expect(decision.packet.options.has(43)).toBe(option43);
  });
});

describe('proxy', () => {
  const applicable = cases.monorepo.proxy.cases.filter(({ backend }) => backend !== 'error');
  it.each(applicable)('$name', ({ request, hardware_ipxe_binary: binary = '', reply }) => {
    if (request === null) return;
    const { server } = contextOf();
    const urls = { ...server.urls, http: 'http://localhost', macFormat: 'empty' as const };
    const decision = respond(
      packetOf(request),
      contextOf({
        machine: { mac, hardwareId, interface: reservation({}, binary) },
        server: { ...server, urls, modes: { mode: 'proxy', subnets: [] } },
        // A REQUEST on port 67 belongs to the server that it names.
        arrival: request['53'] === 'REQUEST' ? 'pxe' : 'broadcast',
      }),
    );
    if (decision.kind !== 'reply' || !reply) throw new Error(decision.kind);
    const { options, op: _, chaddr: __, file, ...fields } = reply;
    expect(decision.packet).toMatchObject(fields);
    // The script's name is ours.
    expect(decision.packet.file).toBe(file === 'http://localhost/script.ipxe' ? 'http://localhost/auto.ipxe' : file);
    const { 97: machineId, ...others } = options;
    expectOptions(decision.packet.options, others);
    expect(Buffer.from(decision.packet.options.get(97) ?? []).toString('hex')).toBe(machineId);
  });
});

function expectOptions(options: ReadonlyMap<number, Uint8Array>, wanted: Readonly<Record<string, unknown>>): void {
  const raw = (code: number) => [...(options.get(code) ?? [])];
  const address = (text: string) => text.split('.').map(Number);
  for (const [key, value] of Object.entries(wanted)) {
    const code = Number(key);
    if (code === 121) expect(Buffer.from(raw(121)).toString('hex')).toBe(value);
    else if (code === 53) expect(readOption(options, messageType)).toBe(String(value).toLowerCase());
    else if (code === 119) expect(readOption(options, domainSearch)).toEqual(value);
    else if (code === 43)
      expect([...(decodeSubOptions(43, options.get(43) ?? hex(''), true).get(6) ?? [])]).toEqual([8]);
    else if (typeof value === 'number')
      expect(raw(code)).toEqual([value >>> 24, (value >> 16) & 255, (value >> 8) & 255, value & 255]);
    else if (Array.isArray(value)) expect(raw(code)).toEqual(value.flatMap((text: string) => address(text)));
    else if (/^[\d.]+$/.test(String(value))) expect(raw(code)).toEqual(address(String(value)));
    else expect(String.fromCharCode(...raw(code))).toBe(value);
  }
  // The machine id goes back too, which the originals leave out: RFC 4578 §2 wants it.
  if (options.has(clientMachineId.code)) expect(raw(97)[0]).toBe(0);
}
