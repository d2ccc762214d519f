import { useState } from 'react';
import type { AddressesView, PoolView, StrangerView } from '../../../src/wire';
import { Ago } from '../ago';
import { Card, ShowMore } from '../card';
import { clock } from '../format';
import classes from './addresses.module.css';

const page = 20;

/** Pools and how full they are, and machines that no hardware record has. Not there when there is nothing of either. */
export function AddressSection({ addresses }: { readonly addresses: AddressesView }) {
  const { pools, strangers, moreStrangers } = addresses;
  const [limit, setLimit] = useState(page);
  return (
    <>
      {pools.length > 0 && (
        <Card title="Address pools" count={pools.length}>
          <ul className={classes.list}>
            {pools.map((pool) => (
              <Pool key={pool.id} pool={pool} />
            ))}
          </ul>
        </Card>
      )}
      {strangers.length > 0 && (
        <Card title="Unknown machines" count={strangers.length + moreStrangers}>
          <ul className={classes.list}>
            {strangers.slice(0, limit).map((stranger) => (
              <Stranger key={`${stranger.id} ${stranger.ip}`} stranger={stranger} />
            ))}
          </ul>
          <ShowMore hidden={strangers.length - limit} onClick={() => setLimit(limit + page)} />
          {moreStrangers > 0 && <p className={classes.more}>and {moreStrangers} more: tink lease list</p>}
        </Card>
      )}
    </>
  );
}

function Pool({
  pool: { pool, ranges, size, used, quarantined, free, utilisation, servedBy },
}: {
  readonly pool: PoolView;
}) {
  const level = utilisation >= 90 ? 'bad' : utilisation >= 80 ? 'warn' : 'good';
  return (
    <li className={classes.row} data-level={level}>
      <div className={classes.names}>
        <span className={classes.name}>{pool}</span>
        <span className={classes.small}>{ranges.join(', ')}</span>
      </div>
      <div
        className={classes.meter}
        role="meter"
        aria-label={`${pool}, in use`}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={utilisation}
      >
        <span className={classes.used} style={{ width: `${share(used, size)}%` }} />
        <span className={classes.quarantined} style={{ width: `${share(quarantined, size)}%` }} />
      </div>
      <div className={classes.facts}>
        <span className={classes.percent}>{utilisation} % in use</span>
        <span className={classes.small}>
          {used} leased, {free} of {size} free{quarantined === 0 ? '' : `, ${quarantined} quarantined`}
        </span>
        <span className={classes.small}>{servedBy === null ? 'served by nobody' : `served by ${servedBy}`}</span>
      </div>
    </li>
  );
}

function share(part: number, size: number): number {
  return size === 0 ? 0 : (part / size) * 100;
}

function Stranger({
  stranger: { id, hostname, ip, subnet, expiresAt, notServed },
}: {
  readonly stranger: StrangerView;
}) {
  return (
    <li className={classes.row}>
      <div className={classes.names}>
        <span className={classes.name}>{hostname || id}</span>
        <span className={classes.small}>{hostname ? id : 'no hardware record'}</span>
      </div>
      <div className={classes.why}>
        {notServed ? (
          <>
            <span className={classes.refused}>
              Not served{notServed.count === 1 ? '' : ` ${notServed.count} times`}: {notServed.text}
            </span>{' '}
            <Ago className={classes.small} at={notServed.at} />
          </>
        ) : (
          <span className={classes.small}>leased from a pool</span>
        )}
      </div>
      <div className={classes.facts}>
        <span className={classes.percent}>{ip || 'no address'}</span>
        {subnet !== '' && <span className={classes.small}>{subnet}</span>}
        {expiresAt !== null && (
          <time className={classes.small} dateTime={expiresAt}>
            until {clock(expiresAt)}
          </time>
        )}
      </div>
    </li>
  );
}
