import {
  IconBan,
  IconBarrierBlock,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconClockX,
  IconHandStop,
  IconHelpCircle,
  IconLoader2,
  IconPlayerPause,
  IconPlayerSkipForward,
  IconPlayerStop,
  type Icon,
} from '@tabler/icons-react';
import type { Status, Tone } from '../../src/wire';
import classes from './status.module.css';

interface Look {
  readonly label: string;
  readonly tone: Tone;
  readonly icon: Icon;
}

/** A state of an action or a workflow, and what the page makes of several facts together. */
export type Shown = Status | 'blocked' | 'paused' | 'cancelling' | 'asking';

/** Each has a picture and a word of its own: nothing is told by colour alone. */
const looks: Readonly<Record<Shown, Look>> = {
  pending: { label: 'Pending', tone: 'neutral', icon: IconCircleDashed },
  running: { label: 'Running', tone: 'active', icon: IconLoader2 },
  success: { label: 'Succeeded', tone: 'good', icon: IconCircleCheck },
  failed: { label: 'Failed', tone: 'bad', icon: IconCircleX },
  timeout: { label: 'Timed out', tone: 'warn', icon: IconClockX },
  cancelled: { label: 'Cancelled', tone: 'neutral', icon: IconBan },
  skipped: { label: 'Skipped', tone: 'neutral', icon: IconPlayerSkipForward },
  unknown: { label: 'Unknown outcome', tone: 'warn', icon: IconHelpCircle },
  'awaiting-approval': { label: 'Awaiting approval', tone: 'warn', icon: IconHandStop },
  blocked: { label: 'Will not run', tone: 'neutral', icon: IconBarrierBlock },
  paused: { label: 'Paused', tone: 'warn', icon: IconPlayerPause },
  cancelling: { label: 'Cancelling', tone: 'warn', icon: IconPlayerStop },
  asking: { label: 'Needs you', tone: 'warn', icon: IconHandStop },
};

export function statusLabel(status: Shown): string {
  return looks[status].label;
}

export function StatusPill({ status }: { readonly status: Shown }) {
  const { label, tone } = looks[status];
  return (
    <span className={`${classes.pill} ${classes[tone]}`}>
      <StatusIcon status={status} size={14} />
      {label}
    </span>
  );
}

/** Says nothing to screen readers: text stands beside it. */
export function StatusIcon({ status, size = 18 }: { readonly status: Shown; readonly size?: number }) {
  const { tone, icon: Picture } = looks[status];
  return (
    <span className={`${classes.plain} ${classes[tone]}`} aria-hidden>
      <Picture size={size} stroke={2} className={status === 'running' ? classes.spin : undefined} />
    </span>
  );
}
