import { Type } from 'class-transformer';
import { IsBoolean, IsIn, IsOptional, IsString, Matches, ValidateNested } from 'class-validator';
import type { SeenOne } from '@tinkerbell/messaging';

class SeenLeaseDto {
  @IsIn(['bound', 'declined', 'conflict'])
  readonly was!: SeenOne['was'];
  @IsOptional()
  @Matches(/^([0-9a-f]{2}[:-]){5}[0-9a-f]{2}$/i, { message: 'mac must be like 52:54:00:12:34:56' })
  readonly mac: string | null = null;
  @IsOptional()
  @IsString()
  readonly clientId: string | null = null;
}

export class LeaseEndDto {
  @IsOptional()
  @IsString()
  readonly pool?: string;
  /** Left out: whatever it is. */
  @IsOptional()
  @ValidateNested()
  @Type(() => SeenLeaseDto)
  readonly seen: SeenLeaseDto | null = null;
  /** Says what would be, and stores nothing. */
  @IsOptional()
  @IsBoolean()
  readonly dryRun: boolean = false;
}
