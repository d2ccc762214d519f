import { useState } from 'react';
import { ScrollArea } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCircleCheck,
  IconCircleX,
  IconInfoCircle,
  IconPlayerPlay,
  type Icon,
} from '@tabler/icons-react';
import type { EventView, Tone } from '../../../src/wire';
import { Card, Nothing, ShowMore } from '../card';
import { clock, moment } from '../format';
import status from '../status.module.css';
import classes from './activity-feed.module.css';

const page = 60;
const icons: Readonly<Record<Tone, Icon>> = {
  neutral: IconInfoCircle,
  good: IconCircleCheck,
  bad: IconCircleX,
  warn: IconAlertTriangle,
  active: IconPlayerPlay,
};

/** What happened last, newest first. */
export function ActivityFeed({ events }: { readonly events: readonly EventView[] }) {
  const [limit, setLimit] = useState(page);
  return (
    <Card title="Activity" className={classes.card}>
      {events.length === 0 && <Nothing>Nothing has happened that fits.</Nothing>}
      <ScrollArea.Autosize mah="calc(100vh - 150px)" type="hover" scrollbarSize={8} viewportProps={{ tabIndex: 0 }}>
        <ul className={classes.list} aria-label="Events, newest first">
          {events.slice(0, limit).map((event) => (
            <Entry key={event.id} event={event} />
          ))}
        </ul>
        <ShowMore hidden={events.length - limit} onClick={() => setLimit(limit + page)} />
      </ScrollArea.Autosize>
    </Card>
  );
}

function Entry({ event }: { readonly event: EventView }) {
  const Picture = icons[event.tone];
  return (
    <li
      className={classes.entry}
      title={`${event.type} · ${event.aggregate} ${event.aggregateId} · by ${event.actor} · ${moment(event.at)}`}
    >
      <span className={`${status.plain} ${status[event.tone]}`} aria-hidden>
        <Picture size={16} stroke={1.8} />
      </span>
      <div>
        <p className={classes.head}>
          <strong>{event.subject}</strong>
          <time className={classes.time} dateTime={event.at}>
            {clock(event.at)}
          </time>
        </p>
        <p className={classes.text}>{event.text}</p>
      </div>
    </li>
  );
}
