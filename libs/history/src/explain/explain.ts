import { heldLeases } from '../held-leases';
import { causesOf } from './causes';
import { expectedOf, waitingOf, type Standing } from './expectations';
import type { Evidence, Explanation } from './explanation';
import { machineOf, sceneOf, workflowOf } from './scene';
import type { ActionName } from '../telling/tell';
import { machineState, workflowState } from './states';

/** Why a machine is as it is, and what comes next. Undefined when the events know no such machine. */
export function explainMachine(id: string, evidence: Evidence): Explanation | undefined {
  const scene = sceneOf(evidence.events);
  const machine = scene.machines.get(id);
  if (!machine) return undefined;
  const workflow = workflowOf(scene, id);
  const leases = heldLeases(scene.leases.values(), evidence.now).filter(({ hardwareId }) => hardwareId === id);
  const leased = leases.map(({ ip }) => ip);
  const states = [
    machineState(id, machine, leased, evidence.now),
    ...(workflow ? [workflowState(workflow, evidence.now)] : []),
  ];
  return explanation('machine', id, states.join(' '), { scene, machineId: id, machine, workflow, evidence });
}

/** Why a workflow is as it is, and what comes next. Undefined when the events know no such workflow. */
export function explainWorkflow(id: string, evidence: Evidence): Explanation | undefined {
  const workflow = sceneOf(evidence.events).workflows.get(id);
  if (!workflow) return undefined;
  // What the machine did after the workflow had ended is no cause of it.
  const end = workflow.finishedAt === null ? Infinity : workflow.position;
  const events = evidence.events.filter(({ position }) => position <= end);
  const scene = sceneOf(events);
  const machineId = machineOf(workflow);
  const machine = machineId === undefined ? undefined : scene.machines.get(machineId);
  const standing = { scene, machineId, machine, workflow, evidence: { ...evidence, events } };
  return explanation('workflow', id, workflowState(workflow, evidence.now), standing);
}

function explanation(kind: Explanation['kind'], id: string, state: string, standing: Standing): Explanation {
  const { events, now } = standing.evidence;
  return {
    kind,
    id,
    at: now,
    position: events.at(-1)?.position ?? 0,
    state,
    causes: causesOf(events, standing, namesIn(standing)),
    waiting: waitingOf(standing),
    expected: expectedOf(standing),
  };
}

/** In quotes, as everywhere in an explanation. */
function namesIn({ scene }: Standing): ActionName {
  return (workflowId, index) => {
    const name = scene.workflows.get(workflowId)?.actions[index]?.spec.name;
    return name === undefined ? undefined : `"${name}"`;
  };
}
