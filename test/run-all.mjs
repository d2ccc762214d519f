// Runs every test: the check gate (format, lint, types), then unit tests, then integration beside virtual-machine tests, which wait for one
// thing and another much of the time; closes with one countable line. `npm test -- unit int` runs only those kinds.
// The files of e2e wait in a queue that two take from; one of the two does int first.
import { execFileSync, spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
import { basename } from 'node:path';
import { judgeSkips } from './skips.mjs';

const kinds = ['check', 'unit', 'int', 'e2e'];
const wanted = process.argv.slice(2).filter((arg) => !arg.startsWith('-'));
const unknown = wanted.filter((kind) => !kinds.includes(kind));
if (unknown.length > 0) {
  console.error(`unknown kind of test: ${unknown.join(', ')}; there are ${kinds.join(', ')}`);
  process.exit(2);
}
const selected = wanted.length > 0 ? wanted : kinds;
const env = { ...process.env, NX_DAEMON: 'false', NX_NO_CLOUD: 'true', FORCE_COLOR: process.stdout.isTTY ? '1' : '0' };
const bin = (name) => `node_modules/.bin/${name}`;

const totals = { passed: 0, failed: 0, skipped: 0 };
const broken = [];
/** Skipped although root on a machine that setup made ready can run it. */
const gaps = [];
const reports = '.cache/test-reports';
mkdirSync(reports, { recursive: true });

/** Its exit status; `log`: a file for what it says, instead of the terminal. */
async function run(command, args, log) {
  const output = log && createWriteStream(log);
  const child = spawn(command, args, { stdio: ['inherit', ...(log ? ['pipe', 'pipe'] : ['inherit', 'inherit'])], env });
  for (const stream of log ? [child.stdout, child.stderr] : []) stream.pipe(output, { end: false });
  const [status] = await once(child, 'close');
  if (output) await once(output.end(), 'finish');
  return status ?? 1;
}

async function runKind(kind) {
  const started = Date.now();
  console.log(`\n=== ${kind} ===`);
  if (kind === 'check') await check();
  else await runVitest(kind, kind);
  say(kind, started);
}

const say = (kind, started) => console.log(`=== ${kind}: ${((Date.now() - started) / 1000).toFixed(0)} s ===`);

async function check() {
  const targets = ['run-many', '-t', 'format', 'lint', 'types', '--parallel=2', '--outputStyle=static'];
  if ((await run(bin('nx'), targets)) !== 0) broken.push('check');
}

/** `name`: of its report and log, and what a failure outside of a test is told by. */
async function runVitest(kind, name, filters = [], log = undefined) {
  const report = `${reports}/${name}.json`;
  rmSync(report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const status = await run(bin('vitest'), ['run', '--project', kind, ...filters, ...reporters], log);
  if (log) console.log(readFileSync(log, 'utf8'));
  count(report, status, name);
}

/** The longest first: what comes last is short, so neither of the two waits long for the other. */
function machineFiles() {
  const options = { encoding: 'utf8', env };
  const files = execFileSync(bin('vitest'), ['list', '--project', 'e2e', '--filesOnly'], options);
  const paths = [...files.matchAll(/\S+\.e2e\.spec\.ts/g)].map(([path]) => path);
  if (paths.length === 0) broken.push('e2e');
  return paths.sort((a, b) => Number(b.includes('provision')) - Number(a.includes('provision')));
}

async function runMachines(files) {
  for (let file = files.shift(); file; file = files.shift()) {
    const name = `e2e-${basename(file, '.e2e.spec.ts')}`;
    await runVitest('e2e', name, [file], `${reports}/${name}.log`);
  }
}

const others = selected.filter((kind) => !['int', 'e2e'].includes(kind));
for (const kind of others) await runKind(kind);
const files = selected.includes('e2e') ? machineFiles() : [];
const started = Date.now();
if (files.length > 0) console.log('\n(files of e2e run two at a time, or one beside int; each is shown when it ends)');
await Promise.all([
  runMachines(files),
  (async () => {
    if (selected.includes('int')) await runKind('int');
    await runMachines(files);
  })(),
]);
if (selected.includes('e2e')) say('e2e', started);

/** A suite that fails outside its tests (an import, a hook) counts as one failure, so that it cannot pass unseen. */
function count(report, status, name) {
  const result = readReport(report);
  if (!result) {
    broken.push(name);
    return;
  }
  totals.passed += result.numPassedTests;
  totals.failed += result.numFailedTests;
  totals.skipped += result.numPendingTests + (result.numTodoTests ?? 0);
  const { allowed, unexpected } = judgeSkips(result);
  for (const { name, why } of allowed) console.log(`skipped: ${name} (${why})`);
  for (const name of unexpected) console.log(`skipped: ${name}`);
  if (process.getuid?.() === 0) gaps.push(...unexpected);
  if (status !== 0 && result.numFailedTests === 0) broken.push(name);
}

function readReport(report) {
  try {
    return JSON.parse(readFileSync(report, 'utf8'));
  } catch (error) {
    console.error(`no report from vitest: ${error.message}`);
    return undefined;
  }
}

if (broken.length > 0) console.log(`\nfailed outside a test: ${broken.join(', ')}`);
if (gaps.length > 0) {
  console.log('\nskipped, which counts as failed when root runs the tests (test/skips.mjs has the exceptions):');
  for (const name of gaps) console.log(`  ${name}`);
}
const failed = totals.failed + broken.length + gaps.length;
const skipped = totals.skipped - gaps.length;
console.log(`\n${totals.passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exit(failed === 0 ? 0 : 1);
