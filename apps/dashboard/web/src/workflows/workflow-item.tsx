import { Collapse, UnstyledButton } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import type { MachineView, WorkflowView } from '../../../src/wire';
import { Ago } from '../ago';
import { workflowStage } from '../filtering';
import { StatusPill } from '../status';
import { Elapsed } from './elapsed';
import { WorkflowDetail } from './workflow-detail';
import classes from './workflows.module.css';

interface WorkflowItemProps {
  readonly workflow: WorkflowView;
  readonly machines: Readonly<Record<string, MachineView>>;
  readonly open: boolean;
  readonly onToggle: () => void;
}

export function WorkflowItem({ workflow, machines, open, onToggle }: WorkflowItemProps) {
  const detail = `detail-${workflow.id}`;
  const hosts = workflow.machines.map((id) => machines[id]?.hostname || machines[id]?.mac || id.slice(0, 8));
  return (
    <li className={classes.item} id={`workflow-${workflow.id}`} data-open={open || undefined}>
      <UnstyledButton className={classes.row} aria-expanded={open} aria-controls={detail} onClick={onToggle}>
        <IconChevronRight size={16} className={classes.chevron} aria-hidden />
        <span className={classes.names}>
          <span className={classes.template}>{workflow.template}</span>
          <span className={classes.sub}>
            {hosts.join(', ')} <span className={classes.id}>{workflow.id.slice(0, 8)}</span>
          </span>
        </span>
        <Progress workflow={workflow} />
        <span className={classes.elapsed}>
          <Elapsed {...workflow} running={workflow.status === 'running'} />
          <Ago className={classes.created} at={workflow.createdAt} />
        </span>
        <StatusPill status={workflowStage(workflow)} />
      </UnstyledButton>
      <Collapse in={open} id={detail} transitionDuration={120}>
        {open && <WorkflowDetail workflow={workflow} machines={machines} />}
      </Collapse>
    </li>
  );
}

/** One segment an action. */
function Progress({ workflow }: { readonly workflow: WorkflowView }) {
  const { actions } = workflow;
  const done = actions.filter(({ status }) => status === 'success' || status === 'skipped').length;
  const running = actions.filter(({ status }) => status === 'running').length;
  return (
    <span className={classes.progress}>
      <span className={classes.segments} aria-hidden>
        {actions.map(({ status, blocked }, index) => (
          <span key={index} className={classes.segment} data-status={blocked ? 'blocked' : status} />
        ))}
      </span>
      <span className={classes.sub}>
        {done} of {actions.length} actions{running > 1 && `, ${running} at once`}
      </span>
    </span>
  );
}
