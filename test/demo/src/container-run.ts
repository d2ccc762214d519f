import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { startDockerd } from '@tinkerbell/tink-worker';
import type { Lab } from '../../pxe-vm/lab';
import { run } from '../../pxe-vm/run';
import type { Cleanup } from './cleanup';
import type { Provisioner } from './provisioner';
import { order, type Scenario } from './scenario';
import { Story, type Step } from './story';
import type { View } from './view';
import type { AnyEvent, Recorded } from './wire';

export interface ContainerRun {
  readonly lab: Lab;
  readonly provisioner: Provisioner;
  readonly scenario: Scenario;
  readonly dir: string;
  readonly view: View;
  readonly cleanup: Cleanup;
  readonly onPowerOn: (at: number) => void;
}

/** Without a virtual machine: the same worker as a container on an engine of this host; it writes the image to a loop device. */
export async function runContainer(context: ContainerRun): Promise<{ steps: readonly Step[]; events: number }> {
  const { lab, provisioner, scenario, dir, view, cleanup } = context;
  const disk = join(dir, 'disk.raw');
  const file = await open(disk, 'w');
  await file.truncate(1 << 30);
  await file.close();
  const device = (await run('losetup', '-f', '--show', disk)).trim();
  cleanup.add('loop device', () => run('losetup', '-d', device));

  const written = { ...scenario, disk: device, isMachine: false };
  const workflowId = await order(provisioner, written, dir, lab.address, view.note);
  const { token } = JSON.parse(await provisioner.tink('worker', 'token', scenario.hardwareId, '--output', 'json')) as {
    token: string;
  };

  // Ends with this process, whatever ends it.
  const engine = await startDockerd(['setpriv', '--pdeathsig', 'KILL', '--', ...lab.enter]);
  cleanup.add('container engine', () => engine.stop());
  await run(process.execPath, 'infra/worker-image/build.mjs');
  const { changes } = JSON.parse(await readFile('.cache/worker-image/import.json', 'utf8')) as {
    changes: readonly string[];
  };
  const importArgs = changes.flatMap((change) => ['--change', change]);
  const rootfs = '.cache/worker-image/rootfs.tar';
  await run('docker', '--host', `unix://${engine.socket}`, 'import', ...importArgs, rootfs, 'tink-worker:latest');

  view.title('Starting the worker as a container');
  const began = Date.now();
  context.onPowerOn(began);
  const story = new Story(began, view.step);
  const events: Recorded<AnyEvent>[] = [];
  const finished = new Promise<void>((resolve, reject) => {
    provisioner.follow(['events', '--from', '60', '--follow', '--output', 'json'], (line) => {
      const recorded = JSON.parse(line) as Recorded<AnyEvent>;
      events.push(recorded);
      story.add(recorded);
      const { event } = recorded;
      if (event.type !== 'WorkflowFinished') return;
      if (event.data.status === 'success') resolve();
      else reject(new Error(`the workflow ended as ${event.data.status}: ${event.data.reason}`));
    });
  });
  await startWorker(context, engine.socket, token);
  await finished;
  view.title(`\nWorkflow ${workflowId} succeeded. ${events.length} events recorded.`);
  view.note(`dashboard         ${provisioner.dashboardUrl}`);
  return { steps: story.steps, events: events.length };
}

async function startWorker(
  { provisioner, scenario, dir, lab, cleanup }: ContainerRun,
  socket: string,
  token: string,
): Promise<void> {
  const state = join(dir, 'worker');
  await mkdir(join(state, 'workflows'), { recursive: true });
  const settings = JSON.parse(await readFile(provisioner.ready.cliConfig, 'utf8')) as { caSha256: string };
  const environment = {
    WORKER_ID: scenario.hardwareId,
    HW_ADDR: scenario.mac,
    TINK_SERVER_URL: provisioner.ready.server,
    TINK_CERT_URL: `http://${lab.address}:42114/cert`,
    TINK_CA_SHA256: settings.caSha256,
    TINK_TOKEN: token,
    TINK_STATE_DIR: '/state',
    // The engine resolves volumes on its own side: the folder has to have the same path in the worker.
    TINK_WORKFLOW_DIR: join(state, 'workflows'),
    DOCKER_CERTS_DIR: '/etc/docker/certs.d',
  };
  const environmentFile = join(state, 'environment');
  const lines = Object.entries(environment).map(([key, value]) => `${key}=${value}\n`);
  await writeFile(environmentFile, lines.join(''), { mode: 0o600 });
  const docker = (...args: readonly string[]) => run('docker', '--host', `unix://${socket}`, ...args);
  await docker(
    ...['run', '--detach', '--name', 'tink-worker', '--network', 'host'],
    ...['--volume', `${socket}:/var/run/docker.sock`, '--volume', '/etc/docker/certs.d:/etc/docker/certs.d'],
    ...['--volume', `${state}:/state`, '--volume', `${state}/workflows:${state}/workflows`],
    // A file, because arguments can be read by everybody on this host.
    ...['--env-file', environmentFile],
    'tink-worker:latest',
  );
  cleanup.add('worker', () => docker('rm', '--force', 'tink-worker'));
  const certificate = `/etc/docker/certs.d/${provisioner.ready.registry}`;
  cleanup.add('registry certificate', () => rm(certificate, { recursive: true, force: true }));
}
