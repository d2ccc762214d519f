import { subjects } from '@tinkerbell/messaging';
import type { AnyEvent, Aggregate } from '@tinkerbell/events';
import { figure, quantile, type Bench } from './bench';
import { GeneratedLog, type Made } from './generated-log';
import { serveLog, timeRequests } from './serve-log';
// The builders alone: the rest of @tinkerbell/testing needs Vitest.
/* eslint-disable @nx/enforce-module-boundaries */
import {
  actionSpec,
  actionStarted,
  actionSucceeded,
  templateId,
  workflowCreated,
} from '../../../libs/testing/src/builders/workflow';
import {
  bootFileServed,
  bootScriptServed,
  leaseRenewed,
  machineMac,
  netbootOffered,
  osieStarted,
  workerEnrolled,
  workerReady,
} from '../../../libs/testing/src/builders/boot';
import { hardwareId, hardwareRegistered } from '../../../libs/testing/src/builders/hardware';
import { templateCreated } from '../../../libs/testing/src/builders/template';
/* eslint-enable @nx/enforce-module-boundaries */

const target = 30;
const events = 500;
const requests = 300;

/** One machine that is installed again and again, 20 events each time. */
function story(): readonly Made[] {
  const specs = ['wipe', 'write', 'configure', 'reboot'].map((name) => actionSpec({ name }));
  const facts: (readonly [Aggregate, string, AnyEvent])[] = [
    ['hardware', hardwareId, hardwareRegistered()],
    ['template', templateId, templateCreated()],
  ];
  for (let run = 0; facts.length < events; run++) {
    const id = `workflow-${run}`;
    facts.push(
      ['workflow', id, workflowCreated(specs)],
      ...[netbootOffered(), bootFileServed(), netbootOffered({ client: 'iPXE' }), bootScriptServed()].map(
        (event) => ['boot', machineMac, event] as const,
      ),
      ...['kernel', 'initramfs', 'rootfs'].map(
        (file) => ['boot', machineMac, bootFileServed({ file, protocol: 'http' })] as const,
      ),
      ['boot', machineMac, osieStarted()],
      ['enrolment', hardwareId, workerEnrolled()],
      ['enrolment', hardwareId, workerReady()],
      ...specs.flatMap((_, index) => [
        ['workflow', id, actionStarted(index)] as const,
        ['workflow', id, actionSucceeded(index)] as const,
      ]),
      ['lease', 'default', leaseRenewed()],
    );
  }
  const versions = new Map<string, number>();
  // All that has happened so far is of one run less than the next: it is told while its last action runs.
  return facts.slice(0, events - 2).map(([aggregate, id, event]) => {
    const stream = subjects.stream(aggregate, id);
    const version = (versions.get(stream) ?? 0) + 1;
    versions.set(stream, version);
    return { stream, version, event };
  });
}

/** Why a machine with a long life is as it is, through tink-server over HTTP. */
export const explain: Bench = {
  name: 'explain',
  about: `/api/explain of a machine with ${events} events, over HTTP, against the target of ${target} ms`,
  async run() {
    const facts = story();
    const made = (position: number) => facts[position - 1] ?? { stream: '', version: 0, event: hardwareRegistered() };
    const served = await serveLog(new GeneratedLog(facts.length, made, { start: Date.now() - 1e7, step: 10_000 }));
    try {
      const path = `/api/explain/machines/${hardwareId}`;
      const now = await timeRequests(requests, () => served.get(path));
      const then = await timeRequests(requests, (i) => served.get(`${path}?at=${facts.length - i}`));
      return [now, then].flatMap(({ durations, cpu }, i) =>
        [0.5, 0.99].map((q) =>
          figure(`explain ${i === 0 ? 'now' : 'then'} p${q * 100}`, quantile(durations, q), target, 'ms', cpu),
        ),
      );
    } finally {
      await served.close();
    }
  },
};
