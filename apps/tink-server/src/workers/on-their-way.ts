import type { ReportKind } from '@tinkerbell/messaging';

/** The bodies of a worker's reports of one kind that are stored and not in the log yet, oldest first. */
export type OnTheirWay = (workerId: string, kind: ReportKind) => Promise<readonly unknown[]>;

/** `index`, `attempt` undefined: of any. */
export function isReportOf(
  wanted: { readonly workflowId: string; readonly index?: number | undefined; readonly attempt?: number | undefined },
  report: unknown,
): boolean {
  const body = report as Partial<Record<string, unknown>> | null;
  return (['workflowId', 'index', 'attempt'] as const).every(
    (field) => wanted[field] === undefined || body?.[field] === wanted[field],
  );
}
