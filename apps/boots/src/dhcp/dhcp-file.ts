import { readFile } from 'node:fs/promises';
import { SettingFileError } from '../setting-file-error';
import type { ClientClass } from './client-class';
import { readSubnets, type SubnetFile, SubnetFileError } from './read-subnets';
import type { PlacedFault } from './yaml-text';

export interface DhcpFile {
  readonly text: string;
  readonly file: SubnetFile;
}

/** The file that BOOTS_DHCP_FILE names. Throws SettingFileError with everything that is wrong in it. */
export async function readDhcpFile(path: string): Promise<DhcpFile> {
  return parseDhcpFile(await textOfDhcpFile(path), path);
}

export function parseDhcpFile(text: string, path: string): DhcpFile {
  return { text, file: readSubnets(text, path) };
}

export function textOfDhcpFile(path: string): Promise<string> {
  return readFile(path, 'utf8').catch((cause: unknown) => {
    throw new SettingFileError(`BOOTS_DHCP_FILE: ${path} cannot be read: ${whyUnread(cause)}`, { cause });
  });
}

function whyUnread(cause: unknown): string {
  const code = (cause as NodeJS.ErrnoException | undefined)?.code;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'EACCES') return 'permission denied';
  return cause instanceof Error ? cause.message : String(cause);
}

/** Where and why boots would refuse the file; `line` and `column` are null when it cannot be read at all. */
export interface DhcpFileFault {
  readonly file: string;
  readonly line: number | null;
  readonly column: number | null;
  readonly path: string;
  readonly message: string;
}

/** Of an error of `readDhcpFile`. */
export function faultsOfDhcpFile(file: string, error: SettingFileError): readonly DhcpFileFault[] {
  if (!(error instanceof SubnetFileError))
    return [{ file, line: null, column: null, path: '', message: error.message }];
  const placed = ({ line, column, path, message }: PlacedFault) => ({ file, line, column, path, message });
  return error.faults.map(placed);
}

/** What the file says, in short. */
export function describeDhcpFile({ file: { classes, subnets, subnets6 } }: DhcpFile): readonly string[] {
  const size = (ranges: readonly (readonly [number, number])[]) =>
    ranges.reduce((sum, [first, last]) => sum + last - first + 1, 0);
  const of = (names: readonly string[]) => (names.length === 0 ? '' : `, for ${names.join(', ')}`);
  const on = (network: string | undefined) => (network === undefined ? '' : `, on ${network}`);
  const pools = [
    ...subnets.flatMap(({ pooled }) => pooled?.pools ?? []),
    ...subnets6.flatMap((subnet) => subnet.pools),
  ];
  const named = new Set(pools.flatMap((pool) => pool.classes));
  const isIdle = ({ name, options, options6 }: ClientClass) =>
    !named.has(name) && options.length + options6.length === 0;
  return [
    ...classes.map((one) => `class ${one.name}${isIdle(one) ? ': no pool is for it, and it sets no option' : ''}`),
    ...subnets.flatMap(({ name, address, prefix, mode, network, pooled }) => [
      `subnet ${name}: ${address}/${prefix}, ${mode}${on(network)}`,
      ...(pooled?.pools ?? []).map((pool) => `  pool ${pool.name}: ${size(pool.ranges)} addresses${of(pool.classes)}`),
    ]),
    ...subnets6.flatMap(({ name, pools }) => [
      `subnet ${name}: IPv6, ${pools.length === 0 ? 'reservation' : 'pool'}`,
      ...pools.map((pool) => {
        const count = pool.ranges.reduce((sum, range) => sum + range.size, 0n);
        return `  pool ${pool.name}: ${count} addresses${of(pool.classes)}`;
      }),
    ]),
  ];
}
