import type { FileReport, HeaderLine } from '@tinkerbell/event-store/audit';
import { exit, type Context } from '../cli-command';
import { printDocument } from '../output/print';
import { paint, plain } from '../output/screen';
import { count } from '@tinkerbell/history';
import type { Checked } from './log-source';

/** Prints what a check found; the exit code. */
export async function printReport(
  context: Context,
  format: string | undefined,
  name: string,
  { report, broken }: Checked,
): Promise<number> {
  if (format === 'json' || format === 'yaml') await printDocument(context, format, { name, ...report });
  else for (const line of reportLines(context, name, report)) context.out(line);
  if (broken !== undefined) context.err(broken);
  return report.ok && broken === undefined ? exit.ok : exit.failure;
}

function reportLines({ screen }: Context, name: string, report: FileReport): readonly string[] {
  const { header, findings, omitted, unknownEvents, bodies, sealed } = report;
  const total = findings.length + omitted;
  return [
    `${name}, written ${header.createdAt} by tinkerbell ${plain(header.product)}`,
    `  ${commitsText(report)}${header.bodies ? `, ${count(bodies, 'body').replace('bodys', 'bodies')}` : ''}${header.secrets ? `, ${count(sealed, 'sealed value')}` : ''}`,
    `  ${signedText(report)}`,
    ...(report.hash === '' ? [] : [`  hash ${report.hash}`]),
    ...unknownEvents.map((each) => `  ${each.count} of a newer release, not looked into: ${plain(each.type)}`),
    ...findings.map(({ position, kind, stream, fault }) =>
      plain(`${String(position).padStart(8)}  ${kind.padEnd(11)}  ${stream === '' ? '' : `${stream}: `}${fault}`),
    ),
    ...(omitted > 0 ? [`… and ${omitted} more`] : []),
    total === 0
      ? paint(screen, 'green', 'OK: nothing was removed, altered or reordered')
      : paint(screen, 'red', `NOT OK: ${count(total, 'finding')}`),
  ];
}

function commitsText({ commits, streams, last, since }: FileReport): string {
  const after = since === 0 ? '' : ` after position ${since}, which is believed as it was signed`;
  return commits === 0
    ? `no commits${after}`
    : `${count(commits, 'commit')} of ${count(streams, 'stream')}, up to position ${last}${after}`;
}

function signedText({ checkpoints, covered, uncovered }: FileReport): string {
  if (checkpoints === 0) return 'no checkpoint yet; the export itself is signed';
  const rest = uncovered === 0 ? 'all' : `${count(uncovered, 'commit')} after it not yet`;
  return `signed up to position ${covered} (${count(checkpoints, 'checkpoint')}), ${rest}`;
}

/** Said when nobody named the key. */
export function keyNote({ keys }: HeaderLine): string {
  return `signatures were checked with the ${keys.length === 1 ? 'key' : 'keys'} that the file itself names; --key FILE (from "tink audit key", kept elsewhere) checks who signed`;
}
