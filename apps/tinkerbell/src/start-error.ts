import { resolve } from 'node:path';
import { ArchiveStartError } from '@tinkerbell/archive';
import { RouterAdvertisementError, SettingFileError } from '@tinkerbell/boots';
import { StoreUnsuitableError } from '@tinkerbell/event-store';
import {
  DataFolderInUseError as NatsFolderInUseError,
  NatsServerNotFoundError,
  NatsServerStartError,
  StreamMismatchError,
} from '@tinkerbell/nats';
import { RegistryError } from '@tinkerbell/registry';
import { DataFolderInUseError } from './data-folder';
import type { TinkerbellConfig } from './tinkerbell.config';

/** Their messages say what to do. */
const clear = [
  ...[DataFolderInUseError, NatsFolderInUseError, NatsServerNotFoundError, NatsServerStartError, StreamMismatchError],
  ...[RegistryError, RouterAdvertisementError, SettingFileError, StoreUnsuitableError, ArchiveStartError],
] as const;

/** As Node (`listen EACCES: permission denied 0.0.0.0:80`, `bind EACCES 0.0.0.0:67`) and nats-server (`listen tcp 10.0.0.1:4222: bind: …`) say it. */
const nodeBind = /(?:listen|bind) (EADDRINUSE|EACCES|EADDRNOTAVAIL)\b[^\d\n]*([\d.]+):(\d+)/;
const natsBind = /listen tcp ([\d.]+):(\d+): bind: (address already in use|permission denied|cannot assign)/;
const natsCodes: Readonly<Record<string, string>> = {
  'address already in use': 'EADDRINUSE',
  'permission denied': 'EACCES',
  'cannot assign': 'EADDRNOTAVAIL',
};

/** What went wrong at the start and what to do about it; undefined for what nobody expected, which needs its stack. */
export function explain(error: unknown, config: Readonly<TinkerbellConfig>): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const texts = messages(error);
  for (const text of texts) {
    const node = nodeBind.exec(text);
    if (node) return portFault(node[1] ?? '', node[2] ?? '', Number(node[3]), config);
    const nats = natsBind.exec(text);
    if (nats) return portFault(natsCodes[nats[3] ?? ''] ?? '', nats[1] ?? '', Number(nats[2]), config);
  }
  if (clear.some((kind) => error instanceof kind)) return error.message;
  const { code, path } = error as NodeJS.ErrnoException;
  if (code && path && resolve(path).startsWith(resolve(config.DATA))) {
    return `cannot use the data folder: ${error.message}. Mend that, or give another folder with --data.`;
  }
  return undefined;
}

function messages(error: Error): readonly string[] {
  return [error.message, ...(error.cause instanceof Error ? messages(error.cause) : [])];
}

function portFault(code: string, address: string, port: number, config: Readonly<TinkerbellConfig>): string {
  const setting = Object.entries(config).find(([key, value]) => key.endsWith('_PORT') && value === port)?.[0];
  const flag = setting === undefined ? 'another port' : `another port with --${flagOf(setting)}`;
  const where = `cannot listen on ${address}:${port}`;
  switch (code) {
    case 'EADDRINUSE':
      return `${where}: the port is taken. Stop its owner (ss -lptun shows it), or choose ${flag}.`;
    case 'EACCES':
      return `${where}: permission denied. Ports below 1024 need root or CAP_NET_BIND_SERVICE; else choose ${flag}.`;
    default:
      return `${where}: this host does not have that address. Give one that it has, e.g. with --ip.`;
  }
}

const flagOf = (setting: string) => setting.toLowerCase().replaceAll('_', '-');
