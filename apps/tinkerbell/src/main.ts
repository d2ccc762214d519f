import 'reflect-metadata';
import './plain-output';
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Logger } from '@nestjs/common';
import { describeDhcpFile, faultsOfDhcpFile, readDhcpFile, SettingFileError } from '@tinkerbell/boots';
import { ConfigError, logLine } from '@tinkerbell/config';
import { LineLogger } from '@tinkerbell/tink-server';
import { Stack } from './stack';
import { restore } from './restore';
import { readRestoreOptions, restoreUsage } from './restore.options';
import { explainRestore, restoredText } from './restore-text';
import { explain } from './start-error';
import { loopback, loopbackWarning, onlyAddress, readOptions, usage, UsageError } from './up.options';
import { up, type Addresses } from './up';

const log = (line: string) => console.error(line);
/** `registry: …`: what the parts say while they run, in the form of all our logs. */
const partLog = (line: string) => {
  const [, who = 'tinkerbell', text = line] = /^([a-z-]+): ([^]*)$/.exec(line) ?? [];
  process.stderr.write(logLine('info', who, text));
};
/** This bundle is dist/apps/tinkerbell/main.js. */
const repository = resolve(__dirname, '../../..');

function banner(addresses: Addresses): string {
  return [
    'tinkerbell is up',
    `  REST and enrolment  ${addresses.server}`,
    `  gRPC                ${addresses.grpc}`,
    `  boot HTTP           ${addresses.http}`,
    ...(addresses.https === undefined ? [] : [`  boot HTTPS          ${addresses.https}`]),
    `  metadata            ${addresses.hegel}`,
    `  image registry      ${addresses.registry}`,
    `  dashboard           ${addresses.dashboard}`,
    `  data                ${addresses.data}`,
    '',
    'Next:  tink hardware push --file machine.json    (tink finds this provisioner through',
    `       ${addresses.cliConfig}; elsewhere set TINK_CONFIG)`,
  ].join('\n');
}

function version(): string {
  try {
    return (JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { version: string }).version;
  } catch {
    return 'unknown';
  }
}

/** Resolves with the exit code. */
async function main(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === 'up') return runUp(rest);
  if (command === 'restore') return runRestore(rest);
  if (command === 'dhcp-check') return runDhcpCheck(rest);
  console.log([usage(), restoreUsage, dhcpCheckUsage].join('\n\n'));
  return command === undefined || command === '--help' || command === '-h' ? 0 : 2;
}

/** Resolves with the name of the signal that asks us to end. */
function untilStopped(): Promise<string> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve('SIGINT'));
    process.once('SIGTERM', () => resolve('SIGTERM'));
  });
}

async function runUp(args: readonly string[]): Promise<number> {
  const options = readOptions(args, process.env, repository);
  if (options === 'help') {
    console.log(usage());
    return 0;
  }
  Logger.overrideLogger(new LineLogger());
  const stack = new Stack();
  const stopped = untilStopped();
  try {
    const address = options.IP ?? onlyAddress();
    if (options.IP === undefined && address === loopback) partLog(loopbackWarning);
    const started = up(options, address, { version: version(), env: process.env, stack, log: partLog });
    const running = await Promise.race([started, stopped]);
    if (typeof running === 'string') {
      await started.catch((error: unknown) => log(String(error)));
      return 0;
    }
    console.log(options.JSON ? JSON.stringify({ ready: true, ...running.addresses }) : banner(running.addresses));
    const end = await Promise.race([stopped, running.fault]);
    if (typeof end === 'string') return 0;
    log(`cannot go on: ${end.message}`);
    return 1;
  } catch (error) {
    const clear = explain(error, options);
    if (clear === undefined) throw error;
    log(`cannot start: ${clear}`);
    if (options.DEBUG) log((error as Error).stack ?? '');
    return 1;
  } finally {
    await stack.close(log);
  }
}

async function runRestore(args: readonly string[]): Promise<number> {
  const options = readRestoreOptions(args);
  if (options === 'help') {
    console.log(restoreUsage);
    return 0;
  }
  const stack = new Stack();
  try {
    const restored = await Promise.race([restore(options, { stack, log }), untilStopped()]);
    if (typeof restored === 'string') {
      log('interrupted: nothing was restored');
      return 130;
    }
    console.log(options.json ? JSON.stringify(restored) : restoredText(restored));
    return 0;
  } catch (error) {
    const clear = explainRestore(error);
    if (clear === undefined) throw error;
    log(`cannot restore: ${clear}`);
    return 1;
  } finally {
    await stack.close(log);
  }
}

const dhcpCheckUsage =
  'tinkerbell dhcp-check FILE|- [--json]: whether boots would take this BOOTS_DHCP_FILE; starts nothing.';

async function runDhcpCheck(args: readonly string[]): Promise<number> {
  const isJson = args.includes('--json');
  const [file = '', ...more] = args.filter((arg) => arg !== '--json');
  if (file === '' || (file !== '-' && file.startsWith('-')) || more.length > 0) throw new UsageError(dhcpCheckUsage);
  const tell = (faults: ReturnType<typeof faultsOfDhcpFile>) =>
    console.log(JSON.stringify({ file, valid: faults.length === 0, faults }, null, 2));
  try {
    const found = await readDhcpFile(file === '-' ? '/dev/stdin' : file);
    if (isJson) tell([]);
    else console.log([`${file} is right`, ...describeDhcpFile(found)].join('\n'));
    return 0;
  } catch (error) {
    if (!(error instanceof SettingFileError)) throw error;
    if (isJson) tell(faultsOfDhcpFile(file, error));
    else log(error.message);
    return 1;
  }
}

main(process.argv.slice(2)).then(
  (code) => process.exit(code),
  (error: unknown) => {
    const expected = error instanceof UsageError || error instanceof ConfigError;
    console.error(
      expected || !(error instanceof Error)
        ? String((error as Error).message ?? error)
        : (error.stack ?? error.message),
    );
    process.exit(expected ? 2 : 1);
  },
);
