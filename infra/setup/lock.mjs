// One setup, one build of a thing at a time. The kernel's lock belongs to our open file: it is gone as soon as this process is, however it ended.
import { spawnSync } from 'node:child_process';
import { mkdirSync, openSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { SetupError } from './shell.mjs';

/**
 * Takes the lock until this process ends; calls `onWait` first when another process has it. Returns true when it had to wait. flock(1)
 * locks the file that it inherits, which stays locked in our hands; children started later do not get it (O_CLOEXEC). Where there is
 * no flock(1) nothing is locked.
 */
export function takeLock(file, onWait) {
  const fd = open(file);
  if (flock(fd, '--nonblock')) return false;
  onWait();
  flock(fd);
  return true;
}

/** For a build in `folder`: waits for another one there, then removes the scratch folders (`work-…`) of those that were killed. */
export function takeFolder(folder, note) {
  takeLock(join(folder, 'lock'), () => note(`another build is at work in ${folder}: waiting for it to end`));
  for (const name of readdirSync(folder)) {
    if (name.startsWith('work-')) rmSync(join(folder, name), { recursive: true, force: true });
  }
}

function open(file) {
  try {
    mkdirSync(dirname(file), { recursive: true });
    return openSync(file, 'a');
  } catch (error) {
    throw new SetupError(`${file} cannot be written (${error.code}): does the folder belong to another user?`, {
      cause: error,
    });
  }
}

/** False when another process has the lock. */
function flock(fd, ...flags) {
  const { error, status, signal, stderr } = spawnSync('flock', ['--exclusive', ...flags, '3'], {
    stdio: ['ignore', 'ignore', 'pipe', fd],
  });
  if (error?.code === 'ENOENT') return true;
  if (error) throw new SetupError(`flock: ${error.message}`, { cause: error });
  if (status === 0) return true;
  if (status === 1 && flags.length > 0) return false;
  throw new SetupError(`flock failed (${signal ?? status}): ${stderr.toString().trim()}`);
}
