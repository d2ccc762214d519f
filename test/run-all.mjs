// Runs every test: the check gate (format, lint, types), then unit tests, then integration beside virtual-machine tests, which wait for one
// thing and another much of the time; closes with one countable line. `npm test -- unit int` runs only those kinds.
import { spawn } from 'node:child_process';
import { createWriteStream, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { once } from 'node:events';
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

async function runKind(kind, log) {
  const started = Date.now();
  if (!log) console.log(`\n=== ${kind} ===`);
  const report = `${reports}/${kind}.json`;
  rmSync(report, { force: true });
  const targets = ['run-many', '-t', 'format', 'lint', 'types', '--parallel=2', '--outputStyle=static'];
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`];
  const status =
    kind === 'check'
      ? await run(bin('nx'), targets, log)
      : await run(bin('vitest'), ['run', '--project', kind, ...reporters], log);
  if (log) console.log(`\n=== ${kind} ===\n${readFileSync(log, 'utf8')}`);
  if (kind !== 'check') count(report, status, kind);
  else if (status !== 0) broken.push(kind);
  console.log(`=== ${kind}: ${((Date.now() - started) / 1000).toFixed(0)} s ===`);
}

const areBoth = selected.includes('int') && selected.includes('e2e');
for (const kind of selected.filter((name) => !areBoth || name !== 'e2e')) {
  const beside = areBoth && kind === 'int' ? runKind('e2e', `${reports}/e2e.log`) : undefined;
  if (beside) console.log('\n(e2e runs beside int, and is shown when it ends)');
  await runKind(kind);
  await beside;
}

/** A suite that fails outside its tests (an import, a hook) counts as one failure, so that it cannot pass unseen. */
function count(report, status, kind) {
  const result = readReport(report);
  if (!result) {
    broken.push(kind);
    return;
  }
  totals.passed += result.numPassedTests;
  totals.failed += result.numFailedTests;
  totals.skipped += result.numPendingTests + (result.numTodoTests ?? 0);
  const { allowed, unexpected } = judgeSkips(result);
  for (const { name, why } of allowed) console.log(`skipped: ${name} (${why})`);
  for (const name of unexpected) console.log(`skipped: ${name}`);
  if (process.getuid?.() === 0) gaps.push(...unexpected);
  if (status !== 0 && result.numFailedTests === 0) broken.push(kind);
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
