import { memo, useLayoutEffect, useRef, useState } from 'react';
import { ActionIcon, Tooltip, UnstyledButton } from '@mantine/core';
import { IconArrowDown, IconTextWrap } from '@tabler/icons-react';
import type { ActionView, OutputLine } from '../../../src/wire';
import { CopyIcon } from '../copy-icon';
import { clock, plural } from '../format';
import classes from './output-panel.module.css';
import { useOutput, type Output } from './use-output';

interface OutputPanelProps {
  readonly workflowId: string;
  readonly index: number;
  readonly action: ActionView;
}

/** Follows the output while it is scrolled to its end; scrolling up stops that, so that it can be read. */
export function OutputPanel({ workflowId, index, action }: OutputPanelProps) {
  const output = useOutput(workflowId, index);
  const [wrap, setWrap] = useState(true);
  const [follow, setFollow] = useState(true);
  const viewport = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const element = viewport.current;
    if (follow && element) element.scrollTop = element.scrollHeight;
  }, [follow, output.lines, wrap]);
  const onScroll = () => {
    const element = viewport.current;
    if (element) setFollow(element.scrollHeight - element.scrollTop - element.clientHeight < 24);
  };
  return (
    <section className={classes.panel} aria-label={`Output of ${action.name}`}>
      <div className={classes.head}>
        <h3 className={classes.title}>
          {action.name}
          <span className={classes.count}>{plural(output.lines.length + output.dropped, 'line')}</span>
        </h3>
        <Tools output={output} wrap={wrap} onWrap={() => setWrap(!wrap)} />
      </div>
      <Outputs action={action} />
      <div
        ref={viewport}
        className={classes.viewport}
        data-wrap={wrap || undefined}
        role="log"
        aria-live="off"
        aria-label={`Output of ${action.name}`}
        tabIndex={0}
        onScroll={onScroll}
      >
        <Lines output={output} action={action} />
      </div>
      {!follow && (
        <UnstyledButton className={classes.latest} onClick={() => setFollow(true)}>
          <IconArrowDown size={14} aria-hidden /> Latest output
        </UnstyledButton>
      )}
    </section>
  );
}

/** What it left for later actions. */
function Outputs({ action: { name, outputs, moreOutputs } }: { readonly action: ActionView }) {
  if (outputs.length === 0) return null;
  return (
    <dl className={classes.outputs} aria-label={`Outputs of ${name}`}>
      <div className={classes.caption}>Outputs</div>
      {outputs.map(({ key, value }) => (
        <div key={key} className={classes.pair}>
          <dt className={classes.key}>{key}</dt>
          <dd className={classes.value}>{value}</dd>
        </div>
      ))}
      {moreOutputs > 0 && (
        <div className={classes.pair}>
          <dt className={classes.key}>…</dt>
          <dd className={classes.value}>{moreOutputs} more: tink workflow get -o json has them all.</dd>
        </div>
      )}
    </dl>
  );
}

interface ToolsProps {
  readonly output: Output;
  readonly wrap: boolean;
  readonly onWrap: () => void;
}

function Tools({ output, wrap, onWrap }: ToolsProps) {
  return (
    <div className={classes.tools}>
      <Tooltip label={wrap ? 'Do not wrap lines' : 'Wrap lines'}>
        <ActionIcon variant="subtle" color="gray" aria-label="Wrap lines" aria-pressed={wrap} onClick={onWrap}>
          <IconTextWrap size={16} />
        </ActionIcon>
      </Tooltip>
      <CopyIcon value={output.lines.map(({ line }) => line).join('\n')} tip="Copy output" label="Copy output" />
    </div>
  );
}

interface LinesProps {
  readonly output: Output;
  readonly action: ActionView;
}

/** Thousands of elements at times: drawn only when a line came. */
const Lines = memo(function Lines({ output, action }: LinesProps) {
  const { lines, dropped, ready } = output;
  if (lines.length === 0) return <p className={classes.empty}>{ready ? noOutput(action) : 'Loading…'}</p>;
  return (
    <>
      {dropped > 0 && (
        <p className={classes.empty}>{plural(dropped, 'earlier line')} not shown; tink logs has them all.</p>
      )}
      {lines.map((line, position) => (
        <Line key={line.seq} line={line} newAttempt={line.attempt > (lines[position - 1]?.attempt ?? 1)} />
      ))}
    </>
  );
});

function noOutput({ status, startedAt }: ActionView): string {
  if (status === 'pending' || status === 'awaiting-approval') return 'Not started yet.';
  if (status === 'skipped') return 'Skipped: it did not run.';
  if (startedAt === null) return status === 'success' ? 'Another workflow ran it.' : 'It did not run.';
  return status === 'running' ? 'No output so far.' : 'It wrote nothing.';
}

/** A line never changes once it is there. */
const Line = memo(function Line({ line, newAttempt }: { readonly line: OutputLine; readonly newAttempt: boolean }) {
  return (
    <>
      {newAttempt && <p className={classes.attempt}>attempt {line.attempt}</p>}
      <div className={classes.line} data-stream={line.stream}>
        <time className={classes.time} dateTime={line.at}>
          {clock(line.at)}
        </time>
        <span className={classes.stream}>
          {line.stream === 'stdout' ? '' : line.stream === 'stderr' ? 'err' : 'tink'}
        </span>
        <span className={classes.text}>{line.line}</span>
      </div>
    </>
  );
});
