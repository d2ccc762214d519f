import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createLab } from '../../pxe-vm/lab';
import { buildArtefacts } from './artefacts';
import { Cleanup } from './cleanup';
import { runContainer } from './container-run';
import { runMachine, type MachineRun } from './machine-run';
import { parseOptions, usage, UsageError, type DemoOptions } from './options';
import { startProvisioner, type Provisioner } from './provisioner';
import { firstMachine, order, type Scenario } from './scenario';
import type { Step } from './story';
import { createView, type View } from './view';

/** The log, the disk and the console of the last run; the next one starts anew. */
const lastRun = resolve('.cache/demo');
const dataDir = join(lastRun, 'data');

interface Outcome {
  readonly steps: readonly Step[];
  readonly events: number;
}

async function demo(
  options: DemoOptions,
  cleanup: Cleanup,
  view: View,
  onPowerOn: (at: number) => void,
): Promise<Outcome> {
  view.title('Building what machines boot and run (cached afterwards)');
  const artefacts = await buildArtefacts(options.image, view.note);
  await rm(lastRun, { recursive: true, force: true });
  await mkdir(lastRun, { recursive: true });
  const { lab, dir, provisioner } = await startLab(options, cleanup, view);

  view.title('Ordering the machine with the CLI');
  const scenario: Scenario = {
    ...firstMachine,
    imageFile: artefacts.image,
    uefi: options.firmware === 'uefi',
    template: options.template,
  };
  if (options.machine === 'container')
    return runContainer({ lab, provisioner, scenario, dir, view, cleanup, onPowerOn });

  const workflowId = await order(provisioner, scenario, dir, lab.address, view.note);
  view.title(`Power on: ${options.firmware.toUpperCase()}, empty disk, network first`);
  onPowerOn(Date.now());
  const run = await runMachine(
    lab,
    provisioner,
    scenario,
    workflowId,
    {
      firmware: options.firmware,
      dir: lastRun,
      cpus: 2,
      diskMiB: options.image === 'debian' ? 4096 : 1024,
      ...(options.accelerator ? { accelerator: options.accelerator } : {}),
    },
    { onStep: view.step, onProgress: view.progress },
  );
  cleanup.add('machine', () => run.machine.off());
  await run.phonedHome(1, options.image === 'debian' ? 600_000 : 300_000);
  for (let again = 1; again <= options.reboots; again++) {
    view.title(`Reboot ${again} of ${options.reboots}`);
    await run.machine.reset();
    await run.phonedHome(again + 1, 300_000);
  }
  view.progress('');
  summary(view, run, provisioner, options.keep);
  return { steps: run.story.steps, events: run.events.length };
}

async function startLab(options: DemoOptions, cleanup: Cleanup, view: View) {
  const dir = await mkdtemp(join(tmpdir(), 'tinkerbell-demo-'));
  cleanup.add('scratch folder', () => rm(dir, { recursive: true, force: true }));
  view.title('Starting the provisioner in a network of its own');
  const lab = await createLab(`tink-demo-${process.pid}`);
  cleanup.add('network namespace', () => lab.close());
  const onLog = (line: string) => options.verbose && view.note(line);
  const provisioner = await startProvisioner(lab, { dir, dataDir, onLog });
  cleanup.add('provisioner', () => provisioner.close());
  view.note(`dashboard ${provisioner.dashboardUrl}`);
  return { lab, dir, provisioner };
}

/** Nothing runs but the provisioner on the last run's data: whatever it tells comes out of the log. */
async function replay(options: DemoOptions, cleanup: Cleanup, view: View): Promise<Outcome> {
  if (!existsSync(dataDir)) throw new Error('there is no run to replay: npm run demo first');
  const { provisioner } = await startLab(options, cleanup, view);
  const story = await provisioner.tink('events', '--from', 'all');
  view.title('The story as the log has it');
  process.stdout.write(story);
  return { steps: [], events: story.trim().split('\n').length };
}

function summary(view: View, run: MachineRun, provisioner: Provisioner, kept: boolean): void {
  const { steps } = run.story;
  const provisioned = steps.find(({ name }) => name === 'own disk')?.seconds ?? 0;
  view.title(
    `\nProvisioned: ${provisioned.toFixed(1)} s from power-on to its own disk. ${run.events.length} events recorded.`,
  );
  let before = 0;
  for (const step of steps) {
    view.note(`${label(step).padEnd(32)} +${(step.seconds - before).toFixed(1).padStart(5)} s`);
    before = step.seconds;
  }
  view.note(`console           ${run.machine.serialLog}`);
  view.note(`dashboard         ${provisioner.dashboardUrl}`);
  const tink = `TINK_CONFIG=${provisioner.cliConfig} node dist/apps/tink-cli/main.js`;
  view.note(
    `replay the story  ${kept ? `${tink} events --machine ${firstMachine.hostname}` : 'npm run demo -- --replay'}`,
  );
}

/** An action has several steps: `action write-image succeeded`. */
function label({ name, detail }: Step): string {
  return name.startsWith('action ') ? `${name} ${detail.split(/[ ,;:]/)[0]}` : name;
}

/** Resolves when the user has had enough. */
function untilInterrupted(): Promise<void> {
  return new Promise((resolve) => {
    process.once('SIGINT', () => resolve());
    process.once('SIGTERM', () => resolve());
  });
}

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options === 'help') {
    console.log(usage);
    return 0;
  }
  if (process.getuid?.() !== 0)
    throw new UsageError('The demo makes a network namespace and a tap device: run it as root.');
  let poweredOn: number | undefined;
  const began = Date.now();
  const view = createView(options.json ? process.stderr : process.stdout, () => poweredOn);
  const cleanup = new Cleanup();
  let stopping = false;
  const interrupted = () => {
    stopping = true;
    view.progress('');
    view.title('Interrupted: cleaning up');
    // A second Ctrl-C must not end the clean-up half way.
    process.removeAllListeners('SIGINT').removeAllListeners('SIGTERM');
    process.on('SIGINT', () => view.note('still cleaning up')).on('SIGTERM', () => undefined);
    void cleanup.run(view.note).then(() => process.exit(130));
  };
  process.once('SIGINT', interrupted).once('SIGTERM', interrupted);
  const report = (ok: boolean, outcome: Outcome, error?: string) => {
    const seconds = Number(((Date.now() - began) / 1000).toFixed(1));
    if (options.json) console.log(JSON.stringify({ ok, ...(error ? { error } : {}), ...outcome, seconds }));
  };
  try {
    const outcome = options.replay
      ? await replay(options, cleanup, view)
      : await demo(options, cleanup, view, (at) => (poweredOn = at));
    if (options.keep) {
      view.title('Left running. Ctrl-C ends it.');
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      await untilInterrupted();
    }
    await cleanup.run(view.note);
    report(true, outcome);
    return 0;
  } catch (error) {
    // What breaks because we are being stopped is no failure of its own; the handler above ends the process.
    if (stopping) return new Promise<never>(() => undefined);
    view.progress('');
    view.title(`Failed: ${(error as Error).message}`);
    await cleanup.run(view.note);
    report(false, { steps: [], events: 0 }, (error as Error).message);
    return 1;
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error instanceof UsageError ? error.message : error);
    process.exit(2);
  },
);
