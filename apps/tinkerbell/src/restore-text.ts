import { AuditKeyError, LogFileError, RestoreError } from '@tinkerbell/event-store';
import { AuditKeyFileError, NatsIdentityError } from '@tinkerbell/identity';
import {
  DataFolderInUseError as NatsFolderInUseError,
  NatsServerNotFoundError,
  NatsServerStartError,
} from '@tinkerbell/nats';
import { DataFolderInUseError } from './data-folder';
import { RestoreRefusedError, type Restored } from './restore';

/** Their messages say what to do. */
const clear = [
  ...[AuditKeyError, AuditKeyFileError, DataFolderInUseError, LogFileError, NatsFolderInUseError, NatsIdentityError],
  ...[NatsServerNotFoundError, NatsServerStartError, RestoreError, RestoreRefusedError],
] as const;

/** Why nothing was restored; undefined for what nobody expected, which needs its stack. */
export function explainRestore(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  if (clear.some((kind) => error instanceof kind)) return error.message;
  const { code, path } = error as NodeJS.ErrnoException;
  if (code === 'ENOENT' && path) return `${path}: no such file or folder`;
  return code && path ? error.message : undefined;
}

export function restoredText({
  data,
  commits,
  covered,
  hash,
  bodies,
  sealed,
  writtenAt,
  formerKeys,
}: Restored): string {
  return [
    `restored to ${data}, as it was on ${writtenAt}`,
    `  ${commits} commits, signed up to position ${covered} by the site that they come from`,
    `  ${bodies} versions of workflow data`,
    ...(sealed === 0 ? [] : [`  ${sealedText(sealed)}`]),
    `  hash ${hash}`,
    formerKeys === 0
      ? '  the folder has the keys of that site: it goes on signing with them'
      : `  the folder signs with a key of its own; ${formerKeys === 1 ? 'that of the old site is' : `${formerKeys} of old sites are`} believed for what is signed already`,
    '',
    'Check:  read back and verified. Workers have to enrol again unless the folder had the identity of the old site.',
    `Next:   tink up --data ${data}`,
  ].join('\n');
}

function sealedText(sealed: number): string {
  const [what, it] = sealed === 1 ? ['sealed value of a secret', 'it'] : ['sealed values of secrets', 'them'];
  return `${sealed} ${what}: only the old identity/secrets.key opens ${it}`;
}
