// Which tests may be skipped on a machine that setup made ready: whatever else is skipped there is a gap that nobody would see.

/** Full names of tests (or the beginning of one), each with why no machine can be asked to run it and the file that has it. */
export const mayBeSkipped = [
  {
    name: 'actions writefile writes into a file system without owners',
    why: 'needs vfat in the kernel, which cannot be installed',
    file: 'infra/actions/actions.int.spec.ts',
  },
  {
    name: 'a KurrentDB server',
    why: 'needs a KurrentDB server, of which there is no package; KURRENTDB_URL names one',
    file: 'apps/archive/src/kurrent.int.spec.ts',
  },
];

const skipped = new Set(['pending', 'skipped', 'todo', 'disabled']);

/**
 * From vitest's JSON report. `allowed` have their reason; `unexpected` fail the run as root, where everything can run.
 * @returns {{ allowed: readonly { name: string, why: string }[], unexpected: readonly string[] }}
 */
export function judgeSkips(report, allowList = mayBeSkipped) {
  const names = report.testResults.flatMap(({ assertionResults }) =>
    assertionResults.filter(({ status }) => skipped.has(status)).map(({ fullName }) => fullName),
  );
  const entry = (fullName) => allowList.find(({ name }) => fullName.startsWith(name));
  return {
    allowed: names.filter(entry).map((name) => ({ name, why: entry(name).why })),
    unexpected: names.filter((name) => !entry(name)),
  };
}
