import type { EventView } from '../../../src/wire';
import { ActivityFeed } from '../activity/activity-feed';
import { CopyIcon } from '../copy-icon';
import classes from './empty-state.module.css';

const steps = [
  {
    title: 'Register a machine',
    text: 'Its MAC, the address that it gets, and what it should know about itself.',
    command: 'tink hardware push --file machine.json',
  },
  {
    title: 'Say what to do with it',
    text: 'A template lists the actions, each of them a container.',
    command: 'tink template create --name install --path template.yaml',
  },
  {
    title: 'Bind the two',
    text: 'The template by its name or id, the machine by its MAC or address.',
    command: `tink workflow create --template install --hardware '{"device_1":"52:54:00:12:34:56"}'`,
  },
] as const;

/** Nothing registered yet: what to do next, in commands to copy. */
export function EmptyState({ events }: { readonly events: readonly EventView[] }) {
  return (
    <div className={classes.wrap}>
      <section className={classes.box} aria-labelledby="empty-title">
        <img src="./icon.svg" width={44} height={44} alt="" />
        <h2 id="empty-title" className={classes.title}>
          No machines yet
        </h2>
        <p className={classes.lead}>
          Three commands, then power the machine on. It appears here by itself, step by step.
        </p>
        <ol className={classes.steps}>
          {steps.map(({ title, text, command }) => (
            <li key={title} className={classes.step}>
              <h3 className={classes.stepTitle}>{title}</h3>
              <p className={classes.stepText}>{text}</p>
              <Command text={command} />
            </li>
          ))}
        </ol>
        <p className={classes.foot}>
          Waiting for the first machine <span className={classes.pulse} aria-hidden />
        </p>
      </section>
      {events.length > 0 && <ActivityFeed events={events} />}
    </div>
  );
}

function Command({ text }: { readonly text: string }) {
  return (
    <div className={classes.command}>
      <code>{text}</code>
      <CopyIcon value={text} label={`Copy: ${text}`} />
    </div>
  );
}
