import { ActionIcon, CopyButton, Tooltip } from '@mantine/core';
import {
  IconAlertTriangle,
  IconCheck,
  IconCopy,
  IconHandStop,
  IconHourglass,
  IconInfoCircle,
  type Icon,
} from '@tabler/icons-react';
import type { NoteView } from '../../../src/wire';
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
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Tooltip label={copied ? 'Copied' : 'Copy'}>
            <ActionIcon variant="subtle" color="gray" aria-label={copied ? 'Copied' : `Copy: ${text}`} onClick={copy}>
              {copied ? <IconCheck size={16} /> : <IconCopy size={16} />}
            </ActionIcon>
          </Tooltip>
        )}
      </CopyButton>
    </span>
  );
}
