import type { EventStore } from '@tinkerbell/event-store';
import type { ArchiveConfig } from './archive.config';
import { ArchiveReactor } from './archive.reactor';
import { ArchiveConfigError } from './archive-target';
import { openKurrent } from './kurrent';

/** One number for Prometheus. */
export interface Gauge {
  readonly name: string;
  readonly help: string;
  readonly read: () => number;
}

export interface RunningArchive {
  readonly gauges: readonly Gauge[];
  /** Why the log is no longer mirrored; undefined while it is, or is tried. */
  blocked(): string | undefined;
  close(): Promise<void>;
}

/** Begins to mirror the log. Throws ArchiveConfigError. Whether the archive is there shows only later, in the gauges. */
export async function startArchive(
  { TINK_ARCHIVE_KURRENTDB_URL: url }: Readonly<ArchiveConfig>,
  ports: { readonly store: EventStore; readonly log: (line: string) => void },
): Promise<RunningArchive> {
  if (url === '') throw new ArchiveConfigError('TINK_ARCHIVE_KURRENTDB_URL is not set');
  const reactor = new ArchiveReactor(ports.store, await openKurrent(url), { log: ports.log });
  reactor.start();
  return { gauges: gaugesOf(reactor), blocked: () => reactor.blocked, close: () => reactor.close() };
}

export function gaugesOf(reactor: Pick<ArchiveReactor, 'position' | 'lag' | 'failing' | 'blocked'>): readonly Gauge[] {
  return [
    {
      name: 'tink_archive_position',
      help: 'Position of the log up to which all of it is in the archive',
      read: () => reactor.position,
    },
    { name: 'tink_archive_lag', help: 'Commits of the log that are not in the archive yet', read: () => reactor.lag },
    { name: 'tink_archive_failures', help: 'Failed tries since the last success', read: () => reactor.failing },
    {
      name: 'tink_archive_blocked',
      help: '1 when mirroring has stopped for good',
      read: () => Number(reactor.blocked !== undefined),
    },
  ];
}
