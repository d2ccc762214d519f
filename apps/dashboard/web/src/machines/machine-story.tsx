import type { LeaseView, MachineView } from '../../../src/wire';
import { bytes, clock, duration, moment } from '../format';
import { stepNames } from './boot-stepper';
import classes from './machine-story.module.css';

/** Everything since the last power-on, and what the machine is. */
export function MachineStory({ machine }: { readonly machine: MachineView }) {
  const { steps, bootFiles, lease } = machine;
  const started = Date.parse(steps[0]?.at ?? machine.updatedAt);
  return (
    <div className={classes.story}>
      <div className={classes.column}>
        <h3 className={classes.heading}>Since power-on</h3>
        {steps.length === 0 && <p className={classes.dim}>Not seen on the network yet. Power it on.</p>}
        <ol className={classes.steps}>
          {steps.map(({ step, at, detail }, index) => (
            <li key={index} className={classes.step}>
              <time dateTime={at} title={moment(at)}>
                {clock(at)}
              </time>
              <span className={classes.offset}>+{duration((Date.parse(at) - started) / 1000)}</span>
              <strong>{stepNames[step]}</strong>
              <span className={classes.detail}>{detail}</span>
            </li>
          ))}
        </ol>
      </div>
      <dl className={classes.facts}>
        <Fact name="Hardware id" value={machine.id} mono />
        <Fact name="MAC" value={machine.mac} mono />
        {lease && <Fact name="Lease" value={leaseText(lease)} />}
        {bootFiles.length > 0 && (
          <Fact
            name="Boot files"
            value={bootFiles.map(({ file, bytes: size }) => `${file} ${bytes(size)}`).join(', ')}
          />
        )}
        <Fact name="Last change" value={moment(machine.updatedAt)} />
      </dl>
    </div>
  );
}

function Fact({ name, value, mono }: { readonly name: string; readonly value: string; readonly mono?: boolean }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd className={mono ? classes.mono : undefined}>{value || 'unknown'}</dd>
    </div>
  );
}

function leaseText({ ip, state, expiresAt }: LeaseView): string {
  return `${ip}, ${state}${expiresAt === null || state === 'ended' ? '' : `, until ${moment(expiresAt)}`}`;
}
