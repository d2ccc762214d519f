import { useState } from 'react';
import type { WorkflowView } from '../../../src/wire';
import { Card, Nothing, ShowMore } from '../card';
import { FilterBar } from '../filter-bar';
import { countBy, workflowStage, type WorkflowFilter } from '../filtering';
import type { World } from '../live/state';
import { statusLabel } from '../status';
import { WorkflowItem } from './workflow-item';
import classes from './workflows.module.css';

const page = 50;
const filters: readonly WorkflowFilter[] = [
  ...(['all', 'asking', 'running', 'paused', 'cancelling'] as const),
  ...(['pending', 'success', 'failed', 'timeout', 'cancelled'] as const),
];
/** Shown also when there is none of them. */
const usual: readonly WorkflowFilter[] = ['all', 'running', 'pending', 'success', 'failed', 'timeout'];

interface WorkflowSectionProps {
  readonly workflows: readonly WorkflowView[];
  readonly world: World;
  readonly searching: boolean;
  readonly open: string | null | undefined;
  readonly onOpen: (id: string | null) => void;
}

export function WorkflowSection({ workflows, world, searching, open, onOpen }: WorkflowSectionProps) {
  const [filter, setFilter] = useState<WorkflowFilter>('all');
  const [limit, setLimit] = useState(page);
  const counts = countBy(workflows, workflowStage);
  const shown = workflows.filter((each) => filter === 'all' || workflowStage(each) === filter);
  const none = Object.keys(world.workflows).length === 0;
  const choices = filters
    .map((value) => ({
      value,
      label: value === 'all' ? 'All' : statusLabel(value),
      count: value === 'all' ? workflows.length : (counts[value] ?? 0),
    }))
    .filter(({ value, count }) => count > 0 || value === filter || usual.includes(value));
  return (
    <Card
      title="Workflows"
      count={workflows.length}
      aside={<FilterBar label="Show workflows" choices={choices} value={filter} onChange={setFilter} />}
    >
      {none && (
        <Nothing>
          No workflow yet. Next:{' '}
          <code className={classes.code}>
            {`tink workflow create --template install --hardware '{"device_1":"<mac>"}'`}
          </code>
        </Nothing>
      )}
      {!none && shown.length === 0 && (
        <Nothing>{searching ? 'No workflow matches the search.' : 'No workflow in this state.'}</Nothing>
      )}
      <ul className={classes.list}>
        {shown.slice(0, limit).map((workflow) => (
          <WorkflowItem
            key={workflow.id}
            workflow={workflow}
            machines={world.machines}
            open={open === workflow.id}
            onToggle={() => onOpen(open === workflow.id ? null : workflow.id)}
          />
        ))}
      </ul>
      <ShowMore hidden={shown.length - limit} onClick={() => setLimit(limit + page)} />
    </Card>
  );
}
