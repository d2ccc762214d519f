import { useState } from 'react';
import type { MachineView } from '../../../src/wire';
import { Card, Nothing, ShowMore } from '../card';
import { FilterBar } from '../filter-bar';
import { countBy, latestWorkflows, machineStage, type MachineFilter } from '../filtering';
import type { World } from '../live/state';
import { MachineItem } from './machine-item';
import classes from './machines.module.css';

const page = 100;
const filters: readonly { readonly value: MachineFilter; readonly label: string }[] = [
  { value: 'all', label: 'All' },
  { value: 'booting', label: 'Booting' },
  { value: 'working', label: 'Worker' },
  { value: 'disk', label: 'Own disk' },
  { value: 'off', label: 'Off' },
];

interface MachineSectionProps {
  readonly machines: readonly MachineView[];
  readonly world: World;
  readonly searching: boolean;
  readonly onOpenWorkflow: (id: string) => void;
}

export function MachineSection({ machines, world, searching, onOpenWorkflow }: MachineSectionProps) {
  const [filter, setFilter] = useState<MachineFilter>('all');
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const [limit, setLimit] = useState(page);
  const counts = countBy(machines, machineStage);
  const shown = machines.filter((machine) => filter === 'all' || machineStage(machine) === filter);
  const workflows = latestWorkflows(world);
  const toggle = (id: string) => {
    const next = new Set(open);
    if (!next.delete(id)) next.add(id);
    setOpen(next);
  };
  const choices = filters.map(({ value, label }) => ({
    value,
    label,
    count: value === 'all' ? machines.length : (counts[value] ?? 0),
  }));
  return (
    <Card
      title="Machines"
      count={machines.length}
      aside={<FilterBar label="Show machines" choices={choices} value={filter} onChange={setFilter} />}
    >
      {shown.length === 0 && (
        <Nothing>{searching ? 'No machine matches the search.' : 'No machine in this state.'}</Nothing>
      )}
      <ul className={classes.list}>
        {shown.slice(0, limit).map((machine) => (
          <MachineItem
            key={machine.id}
            machine={machine}
            workflow={workflows[machine.id]}
            open={open.has(machine.id)}
            onToggle={() => toggle(machine.id)}
            onOpenWorkflow={onOpenWorkflow}
          />
        ))}
      </ul>
      <ShowMore hidden={shown.length - limit} onClick={() => setLimit(limit + page)} />
    </Card>
  );
}
