import {
  IconBan,
  IconCircleCheck,
  IconCircleDashed,
  IconCircleX,
  IconClockX,
  IconHandStop,
  IconHelpCircle,
  IconLoader2,
  IconPlayerSkipForward,
  type Icon,
} from '@tabler/icons-react';
import type { Status, Tone } from '../../src/wire';
import classes from './status.module.css';

interface Look {
  readonly label: string;
  readonly tone: Tone;
  readonly icon: Icon;
}

const looks: Readonly<Record<Status, Look>> = {
  pending: { label: 'Pending', tone: 'neutral', icon: IconCircleDashed },
  running: { label: 'Running', tone: 'active', icon: IconLoader2 },
  success: { label: 'Succeeded', tone: 'good', icon: IconCircleCheck },
  failed: { label: 'Failed', tone: 'bad', icon: IconCircleX },
  timeout: { label: 'Timed out', tone: 'warn', icon: IconClockX },
  cancelled: { label: 'Cancelled', tone: 'neutral', icon: IconBan },
  skipped: { label: 'Skipped', tone: 'neutral', icon: IconPlayerSkipForward },
  unknown: { label: 'Unknown outcome', tone: 'warn', icon: IconHelpCircle },
  'awaiting-approval': { label: 'Awaiting approval', tone: 'warn', icon: IconHandStop },
};

export function statusLabel(status: Status): string {
  return looks[status].label;
}

export function StatusPill({ status }: { readonly status: Status }) {
  const { label, tone } = looks[status];
  return (
    <span className={`${classes.pill} ${classes[tone]}`}>
      <StatusIcon status={status} size={14} />
      {label}
    </span>
  );
}

/** Says nothing to screen readers: text stands beside it. */
export function StatusIcon({ status, size = 18 }: { readonly status: Status; readonly size?: number }) {
  const { tone, icon: Picture } = looks[status];
  return (
    <span className={`${classes.plain} ${classes[tone]}`} aria-hidden>
      <Picture size={size} stroke={2} className={status === 'running' ? classes.spin : undefined} />
    </span>
  );
}
