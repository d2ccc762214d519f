export { ArchiveConfig } from './archive.config';
export { ArchiveStartError, startArchiveProcess } from './archive-process';
export type { ArchiveProcess } from './archive-process';
export { runArchive } from './run-archive';
