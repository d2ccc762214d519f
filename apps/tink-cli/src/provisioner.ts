import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { CommandError } from './cli-command';

/** Runs the all-in-one process on this terminal and hands our signals on to it; its exit code, 128 + n when signal n ended it. */
export async function runProvisioner(bundle: string, args: readonly string[]): Promise<number> {
  if (!existsSync(bundle)) {
    throw new CommandError(
      `the provisioner is not built: ${bundle} is missing. Run "npm run build" in the repository.`,
    );
  }
  const child = spawn(process.execPath, [bundle, ...args], { stdio: 'inherit' });
  // A terminal sends Ctrl-C to both of us; a second SIGINT would tell the child not to clean up.
  const { stdin, stdout, stderr } = process;
  const onTerminal = stdin.isTTY || stdout.isTTY || stderr.isTTY;
  const own = onTerminal ? (['SIGTERM', 'SIGHUP'] as const) : (['SIGINT', 'SIGTERM', 'SIGHUP'] as const);
  const handlers = own.map((signal) => [signal, () => void child.kill(signal)] as const);
  process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM');
  process.on('SIGINT', ignore);
  for (const [signal, handler] of handlers) process.on(signal, handler);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => resolve(code ?? 128 + (signal === null ? 0 : constants.signals[signal])));
  });
}

function ignore(): void {
  // The child gets the terminal's own; we only have to outlive it.
}
