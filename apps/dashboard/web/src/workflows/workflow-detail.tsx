import { useState } from 'react';
import { CopyButton, UnstyledButton } from '@mantine/core';
import type { ActionView, MachineView, Status, WorkflowView } from '../../../src/wire';
import { clock, moment } from '../format';
import { StatusIcon, statusLabel } from '../status';
import { Elapsed } from './elapsed';
import { afterText } from './after-text';
import { Notes } from './notes';
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
      <Notes notes={workflow.notes} />
      <div className={classes.side}>
        <ol className={classes.actions} aria-label="Actions">
          {byTask(workflow.actions).map(({ action: each, index: position, showTask }) => (
            <ActionItem
              key={each.id}
              action={each}
              after={afterText(workflow.actions, position)}
              showTask={showTask}
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
  const by = (...wanted: readonly Status[]) => actions.findIndex(({ status }) => wanted.includes(status));
  const found = [by('running'), by('unknown', 'awaiting-approval'), by('failed', 'timeout')].find(
    (index) => index >= 0,
  );
  const last = actions.findLastIndex(({ status }) => status !== 'pending');
  return found ?? Math.max(0, last);
}

interface Placed {
  readonly action: ActionView;
  readonly index: number;
  readonly showTask: boolean;
}

/** Task by task, in the order in which the tasks first come. */
function byTask(actions: readonly ActionView[]): readonly Placed[] {
  const tasks = [...new Set(actions.map(({ task }) => task))];
  return tasks.flatMap((task) => {
    const own = actions.flatMap((action, index) => (action.task === task ? [{ action, index }] : []));
    return own.map((each, position) => ({ ...each, showTask: position === 0 }));
  });
}

interface ActionItemProps {
  readonly action: ActionView;
  /** What it comes after, when that is not the line above. */
  readonly after: string;
  readonly showTask: boolean;
  readonly host: string | undefined;
  readonly selected: boolean;
  readonly onSelect: () => void;
}

function ActionItem({ action, after, showTask, host, selected, onSelect }: ActionItemProps) {
  const shown = action.blocked ? 'blocked' : action.status;
  return (
    <li>
      {showTask && (
        <p className={classes.task}>
          {action.task}
          {host && <span> on {host}</span>}
        </p>
      )}
      <UnstyledButton className={classes.action} aria-pressed={selected} onClick={onSelect}>
        <StatusIcon status={shown} />
        <span className={classes.names}>
          <span className={classes.name}>
            {action.name}
            <Tries action={action} />
            {action.destructive && <span className={classes.tag}>erases data</span>}
          </span>
          <span className={classes.image}>{action.image}</span>
          {after !== '' && <span className={classes.after}>{after}</span>}
          <Outcome action={action} />
        </span>
        <span className={classes.right}>
          <span className={classes.time}>
            <Elapsed {...action} running={action.status === 'running'} />
          </span>
          <span className={classes.state}>{statusLabel(shown)}</span>
        </span>
      </UnstyledButton>
    </li>
  );
}

function Tries({ action: { attempt, tries } }: { readonly action: ActionView }) {
  if (tries !== null && attempt > 0) {
    return (
      <span className={classes.attempt}>
        try {attempt} of {Math.max(attempt, tries)}
      </span>
    );
  }
  return attempt > 1 ? <span className={classes.attempt}>attempt {attempt}</span> : null;
}

/** What to know of an action beyond its state. */
function Outcome({ action }: { readonly action: ActionView }) {
  const { status, message, handler, retryAt, blocked } = action;
  const told = blocked || status === 'running' ? '' : outcomeText(action);
  if (told === '' && !handler) return null;
  return (
    <span className={classes.outcome} data-status={status} title={message}>
      {told}
      {status === 'pending' && retryAt !== null && ` (next try at ${clock(retryAt)})`}
      {handler && (
        <span className={classes.handler}>
          {handler.handler}: {handler.exitCode === 0 ? 'done' : `exit code ${handler.exitCode ?? 'unknown'}`}
          {handler.message && `, ${handler.message}`}
        </span>
      )}
    </span>
  );
}

function outcomeText({ status, startedAt, exitCode, reason, message, retryAt }: ActionView): string {
  if (status === 'pending' && retryAt === null) return '';
  // Done by another workflow, which the message names.
  if (status === 'success') return startedAt === null ? message : '';
  const failed = status === 'failed' || status === 'timeout' || status === 'pending';
  const what = !failed ? '' : exitCode === null ? (reason ?? '') : `exit code ${exitCode}`;
  return [what, message].filter((text) => text !== '').join(': ');
}
