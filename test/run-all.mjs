// Runs every test: the check gate (format, lint, types), then unit, integration and virtual-machine tests, and closes with one countable line.
// `npm test -- unit int` runs only those kinds.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
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
const run = (command, args) => spawnSync(command, args, { stdio: 'inherit', env }).status ?? 1;
const bin = (name) => `node_modules/.bin/${name}`;

const totals = { passed: 0, failed: 0, skipped: 0 };
const broken = [];
/** Skipped although root on a machine that setup made ready can run it. */
const gaps = [];
const reports = '.cache/test-reports';
mkdirSync(reports, { recursive: true });

for (const kind of selected) {
  const started = Date.now();
  console.log(`\n=== ${kind} ===`);
  if (kind === 'check') {
    if (run(bin('nx'), ['run-many', '-t', 'format', 'lint', 'types', '--parallel=2', '--outputStyle=static']) !== 0)
      broken.push(kind);
  } else {
    const report = `${reports}/${kind}.json`;
    rmSync(report, { force: true });
    const status = run(bin('vitest'), [
      'run',
      '--project',
      kind,
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${report}`,
    ]);
    count(report, status, kind);
  }
  console.log(`=== ${kind}: ${((Date.now() - started) / 1000).toFixed(0)} s ===`);
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
