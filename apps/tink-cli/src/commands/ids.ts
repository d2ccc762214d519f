import { parseIp } from '@tinkerbell/bytes';
import { UsageError } from '../cli-command';

const uuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const mac = /^[0-9a-f]{2}([:-][0-9a-f]{2}){5}$/i;

export const isUuid = (text: string) => uuid.test(text);
export const isMac = (text: string) => mac.test(text);

/** Throws UsageError with the message of the originals. */
export function checkUuids(ids: readonly string[]): void {
  for (const id of ids) if (!isUuid(id)) throw new UsageError(`invalid uuid: ${id}`, hintOf(id));
}

/** The beginning of one is enough, and the command line has whole ones by now where there are any (short-ids.ts). */
function hintOf(id: string): string | undefined {
  if (/^[0-9a-f]{1,3}$/i.test(id)) return 'the first 4 characters of an id are needed at the least';
  return /^[0-9a-f]{4}[0-9a-f-]*$/i.test(id) ? 'no id here begins so' : undefined;
}

export function checkMacs(macs: readonly string[]): void {
  for (const one of macs) if (!isMac(one)) throw new UsageError(`invalid mac: ${one}`, 'for example 08:00:27:00:00:01');
}

export function checkIps(ips: readonly string[]): void {
  for (const one of ips) if (!parseIp(one)) throw new UsageError(`invalid ip: ${one}`, 'for example 192.168.1.5');
}

/** Ids that shells complete; any number of them, at least one. */
export const someIds = { usage: '<id>...', min: 1, max: Infinity } as const;
