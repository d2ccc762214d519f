import { IconAlertTriangle, IconHandStop, IconHourglass, IconInfoCircle, type Icon } from '@tabler/icons-react';
import type { NoteView } from '../../../src/wire';
import { CopyIcon } from '../copy-icon';
import { clock, moment } from '../format';
import classes from './notes.module.css';

const icons: Readonly<Record<NoteView['tone'], Icon>> = {
  info: IconInfoCircle,
  wait: IconHourglass,
  ask: IconHandStop,
  bad: IconAlertTriangle,
};

/** What a person should know of a workflow. The page changes nothing: it shows the command that does. */
export function Notes({ notes }: { readonly notes: readonly NoteView[] }) {
  if (notes.length === 0) return null;
  return (
    <ul className={classes.notes} aria-label="Notes">
      {notes.map((note) => (
        <Note key={note.key} note={note} />
      ))}
    </ul>
  );
}

function Note({ note: { text, tone, at, command } }: { readonly note: NoteView }) {
  const Picture = icons[tone];
  return (
    <li className={classes.note} data-tone={tone}>
      <Picture size={18} stroke={1.9} className={classes.icon} aria-hidden />
      <span className={classes.text}>
        {text}
        {at !== null && (
          <time className={classes.time} dateTime={at} title={moment(at)}>
            {clock(at)}
          </time>
        )}
      </span>
      {command !== null && <Command text={command} />}
    </li>
  );
}

function Command({ text }: { readonly text: string }) {
  return (
    <span className={classes.command}>
      <code>{text}</code>
      <CopyIcon value={text} label={`Copy: ${text}`} />
    </span>
  );
}
