import { useEffect, useState } from 'react';
import { Button } from '@mantine/core';
import { IconPlugConnectedX } from '@tabler/icons-react';
import { clock, duration } from '../format';
import { useLive } from '../live/use-live';
import classes from './connection-banner.module.css';

/** Stands over the page while nothing is heard from the server; what is shown stays as it was. */
export function ConnectionBanner() {
  const { link, world, retry } = useLive();
  if (link.status !== 'lost') return null;
  return (
    <div className={classes.banner} role="alert">
      <div className={classes.inner}>
        <IconPlugConnectedX size={18} aria-hidden className={classes.icon} />
        <p className={classes.text}>
          <strong>Connection lost.</strong>{' '}
          {world
            ? `Showing everything as it was at ${clock(new Date(link.since).toISOString())}. It reconnects by itself.`
            : 'The server does not answer; trying again.'}
          <span className={classes.since} aria-hidden>
            Lost for <Since since={link.since} />
          </span>
        </p>
        <Button size="compact-sm" variant="white" onClick={retry}>
          Try now
        </Button>
      </div>
    </div>
  );
}

function Since({ since }: { readonly since: number }) {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => setSeconds((Date.now() - since) / 1000), 1000);
    return () => clearInterval(timer);
  }, [since]);
  return <>{duration(seconds, true)}</>;
}
