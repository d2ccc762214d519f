import { useState } from 'react';
import { CopyButton, UnstyledButton } from '@mantine/core';
import type { ActionView, MachineView, WorkflowView } from '../../../src/wire';
import { moment } from '../format';
import { StatusIcon, statusLabel } from '../status';
import { Elapsed } from './elapsed';
import { OutputPanel } from './output-panel';
import classes from './workflow-detail.module.css';

interface WorkflowDetailProps {
  readonly workflow: WorkflowView;
  readonly machines: Readonly<Record<string, MachineView>>;
}

/** The actions beside the output of one of them: the chosen one, else the one that is running, went wrong or came last. */
export function WorkflowDetail({ workflow, machines }: WorkflowDetailProps) {
  const [chosen, choose] = useState<number | undefined>(undefined);
  const index = chosen ?? mostInteresting(workflow.actions);
  const action = workflow.actions[index];
  return (
    <div className={classes.detail}>
      <div className={classes.side}>
        <ol className={classes.actions} aria-label="Actions">
          {workflow.actions.map((each, position) => (
            <ActionItem
              key={position}
              action={each}
              showTask={position === 0 || workflow.actions[position - 1]?.task !== each.task}
              host={workflow.machines.length > 1 ? machines[each.workerId]?.hostname : undefined}
              selected={position === index}
              onSelect={() => choose(position)}
            />
          ))}
        </ol>
        <p className={classes.meta}>
          Created {moment(workflow.createdAt)}
          <CopyButton value={workflow.id}>
            {({ copied, copy }) => (
              <UnstyledButton className={classes.copy} onClick={copy} title="Copy the workflow's id">
                {copied ? 'Copied' : workflow.id}
              </UnstyledButton>
            )}
          </CopyButton>
        </p>
      </div>
      {action && <OutputPanel key={`${workflow.id}/${index}`} workflowId={workflow.id} index={index} action={action} />}
    </div>
  );
}

function mostInteresting(actions: readonly ActionView[]): number {
  const by = (test: (action: ActionView) => boolean) => actions.findIndex(test);
  const bad = by(({ status }) => status === 'failed' || status === 'timeout');
  const running = by(({ status }) => status === 'running');
  if (running >= 0) return running;
  if (bad >= 0) return bad;
  return Math.max(
    0,
    actions.findLastIndex(({ status }) => status !== 'pending'),
  );
}

interface ActionItemProps {
  readonly action: ActionView;
  readonly showTask: boolean;
  readonly host: string | undefined;
  readonly selected: boolean;
  readonly onSelect: () => void;
}

function ActionItem({ action, showTask, host, selected, onSelect }: ActionItemProps) {
  return (
    <li>
      {showTask && (
        <p className={classes.task}>
          {action.task}
          {host && <span> on {host}</span>}
        </p>
      )}
      <UnstyledButton className={classes.action} aria-pressed={selected} onClick={onSelect}>
        <StatusIcon status={action.status} />
        <span className={classes.names}>
          <span className={classes.name}>
            {action.name}
            {action.attempt > 1 && <span className={classes.attempt}>attempt {action.attempt}</span>}
          </span>
          <span className={classes.image}>{action.image}</span>
          <Outcome action={action} />
        </span>
        <span className={classes.right}>
          <span className={classes.time}>
            <Elapsed {...action} running={action.status === 'running'} />
          </span>
          <span className={classes.state}>{statusLabel(action.status)}</span>
        </span>
      </UnstyledButton>
    </li>
  );
}

/** What to know of an action that did not go well. */
function Outcome({ action }: { readonly action: ActionView }) {
  const { status, exitCode, reason, message, handler } = action;
  if (status !== 'failed' && status !== 'timeout') return null;
  const what = exitCode === null ? (reason ?? '') : `exit code ${exitCode}`;
  return (
    <span className={classes.outcome} data-status={status}>
      {[what, message].filter((text) => text !== '').join(': ')}
      {handler && (
        <span className={classes.handler}>
          {handler.handler}: {handler.exitCode === 0 ? 'done' : `exit code ${handler.exitCode ?? 'unknown'}`}
          {handler.message && `, ${handler.message}`}
        </span>
      )}
    </span>
  );
}
