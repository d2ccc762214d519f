import { useEffect, useMemo, useState } from 'react';
import { useDebouncedValue, useMediaQuery } from '@mantine/hooks';
import { ActivityFeed } from './activity/activity-feed';
import classes from './app.module.css';
import type { WorkflowView } from '../../src/wire';
import { AddressSection } from './addresses/address-section';
import { findAddresses, findEvents, findMachines, findWorkflows, workflowStage } from './filtering';
import type { World } from './live/state';
import { useLive } from './live/use-live';
import { MachineSection } from './machines/machine-section';
import { ConnectionBanner } from './shell/connection-banner';
import { EmptyState } from './shell/empty-state';
import { Header } from './shell/header';
import { Loading } from './shell/loading';
import { PhoneTabs, type PhoneTab } from './shell/phone-tabs';
import { WorkflowSection } from './workflows/workflow-section';

export function App() {
  const { world } = useLive();
  const [search, setSearch] = useState('');
  const empty = world && isEmpty(world);
  return (
    <>
      <a className={classes.skip} href="#main">
        Skip to content
      </a>
      <Header search={search} onSearch={setSearch} />
      <ConnectionBanner />
      <main id="main" className={classes.main}>
        {!world && <Loading />}
        {world && empty && <EmptyState events={world.events} />}
        {world && !empty && <Overview world={world} search={search} />}
      </main>
    </>
  );
}

function isEmpty({ machines, workflows, addresses: { pools, strangers } }: World): boolean {
  return Object.keys(machines).length + Object.keys(workflows).length + pools.length + strangers.length === 0;
}

function Overview({ world, search: typed }: { readonly world: World; readonly search: string }) {
  const [search] = useDebouncedValue(typed.trim(), 120);
  const [tab, setTab] = useState<PhoneTab>('machines');
  const [open, setOpen] = useState<string | null | undefined>(undefined);
  const phone = useMediaQuery('(max-width: 47.99em)') ?? false;
  const machines = useMemo(() => findMachines(world, search), [world, search]);
  const workflows = useMemo(() => findWorkflows(world, search), [world, search]);
  const addresses = useMemo(() => findAddresses(world, search), [world, search]);
  const events = useMemo(() => findEvents(world, search), [world, search]);
  useTitle(world);
  const shown = (name: PhoneTab) => !phone || tab === name;
  const openWorkflow = (id: string) => {
    setOpen(id);
    setTab('workflows');
    requestAnimationFrame(() => document.getElementById(`workflow-${id}`)?.scrollIntoView({ block: 'nearest' }));
  };
  return (
    <>
      {phone && (
        <PhoneTabs
          value={tab}
          onChange={setTab}
          counts={{ machines: machines.length, workflows: workflows.length, activity: events.length }}
        />
      )}
      <div className={classes.columns}>
        <div className={classes.content}>
          {shown('machines') && (
            <MachineSection machines={machines} world={world} searching={search !== ''} onOpenWorkflow={openWorkflow} />
          )}
          {shown('workflows') && (
            <WorkflowSection
              workflows={workflows}
              world={world}
              searching={search !== ''}
              open={open === undefined ? workflows.find(isUnderWay)?.id : open}
              onOpen={setOpen}
            />
          )}
          {shown('machines') && <AddressSection addresses={addresses} />}
        </div>
        {shown('activity') && <ActivityFeed events={events} />}
      </div>
    </>
  );
}

function isUnderWay(workflow: WorkflowView): boolean {
  return workflow.status === 'running' || workflowStage(workflow) === 'asking';
}

/** A tab in the background still says whether work goes on. */
function useTitle(world: World): void {
  const running = Object.values(world.workflows).filter(({ status }) => status === 'running').length;
  useEffect(() => {
    document.title = running === 0 ? 'Tinkerbell' : `(${running}) Tinkerbell`;
  }, [running]);
}
