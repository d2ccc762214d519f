import { spawn } from 'node:child_process';

/** A fault that a person can act on: printed without a stack. */
export class SetupError extends Error {}

/** Runs a program; its output is kept and shown only when it fails. Resolves with stdout. */
export function run(command, args, { cwd, env = process.env, input, timeoutMs } = {}) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd, env, stdio: ['pipe', 'pipe', 'pipe'], timeout: timeoutMs });
    const chunks = { stdout: [], stderr: [] };
    child.stdout.on('data', (chunk) => chunks.stdout.push(chunk));
    child.stderr.on('data', (chunk) => chunks.stderr.push(chunk));
    child.once('error', (cause) => reject(new SetupError(`${command}: ${cause.message}`, { cause })));
    child.once('close', (code, signal) => {
      const text = (name) => Buffer.concat(chunks[name]).toString();
      if (code === 0) return resolve(text('stdout'));
      const said = `${text('stdout')}\n${text('stderr')}`.trim().split('\n').slice(-15).join('\n  ');
      reject(new SetupError(`${command} ${args.join(' ')} failed (${signal ?? code}):\n  ${said}`));
    });
    child.stdin.on('error', () => child.stdin.destroy());
    child.stdin.end(input);
  });
}
