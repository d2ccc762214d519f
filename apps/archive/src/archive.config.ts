import { IsString } from 'class-validator';

export class ArchiveConfig {
  /** Connection string of KurrentDB, e.g. `kurrentdb://admin:secret@archive.example:2113?tls=true`; empty: no archive. */
  @IsString()
  readonly TINK_ARCHIVE_KURRENTDB_URL: string = '';
}
