import { Collapse, UnstyledButton } from '@mantine/core';
import { IconChevronRight } from '@tabler/icons-react';
import type { MachineView, WorkflowView } from '../../../src/wire';
import { Ago } from '../ago';
import { workflowStage } from '../filtering';
import { StatusPill } from '../status';
import { BootStepper } from './boot-stepper';
import { MachineStory } from './machine-story';
import classes from './machines.module.css';

interface MachineItemProps {
  readonly machine: MachineView;
  readonly workflow: WorkflowView | undefined;
  readonly open: boolean;
  readonly onToggle: () => void;
  readonly onOpenWorkflow: (id: string) => void;
}

export function MachineItem({ machine, workflow, open, onToggle, onOpenWorkflow }: MachineItemProps) {
  const story = `story-${machine.id}`;
  return (
    <li className={classes.item} data-open={open || undefined}>
      <div className={classes.row}>
        <UnstyledButton className={classes.who} aria-expanded={open} aria-controls={story} onClick={onToggle}>
          <IconChevronRight size={16} className={classes.chevron} aria-hidden />
          <span className={classes.names}>
            <span className={classes.host}>{machine.hostname || machine.mac || machine.id}</span>
            <span className={classes.ids}>
              {machine.ip && <span>{machine.ip}</span>}
              {machine.mac && <span className={classes.mac}>{machine.mac}</span>}
              {!machine.registered && <span className={classes.gone}>no hardware record</span>}
            </span>
          </span>
        </UnstyledButton>
        <BootStepper machine={machine} />
        <div className={classes.work}>
          {workflow ? (
            <UnstyledButton
              className={classes.jump}
              onClick={() => onOpenWorkflow(workflow.id)}
              aria-label={`Workflow ${workflow.template}, show it`}
            >
              <StatusPill status={workflowStage(workflow)} />
              <span className={classes.template}>{workflow.template}</span>
            </UnstyledButton>
          ) : (
            <span className={classes.none}>no workflow</span>
          )}
          <Ago className={classes.changed} at={machine.updatedAt} />
        </div>
      </div>
      <Collapse in={open} id={story} transitionDuration={120}>
        {open && <MachineStory machine={machine} />}
      </Collapse>
    </li>
  );
}
