import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsBoolean,
  IsIn,
  IsIP,
  IsISO8601,
  IsOptional,
  IsString,
  Matches,
  MaxLength,
  ValidateNested,
} from 'class-validator';
import { type ForeignLease, maxImported } from '@tinkerbell/messaging';

class ForeignLeaseDto {
  @IsIP()
  readonly ip!: string;
  @IsOptional()
  @Matches(/^([0-9a-f]{2}-){5}[0-9a-f]{2}$/, { message: 'mac must be like 52-54-00-12-34-56' })
  readonly mac: string | null = null;
  @IsOptional()
  @Matches(/^([0-9a-f]{2}){1,255}(:[0-9a-f]{8})?$/, { message: 'clientId must be hex, of IPv6 <DUID>:<IAID>' })
  readonly clientId: string | null = null;
  @IsOptional()
  @IsString()
  @MaxLength(255)
  readonly hostname: string = '';
  @IsOptional()
  @IsIn(['bound', 'declined', 'abandoned'])
  readonly state: ForeignLease['state'] = 'bound';
  /** Left out: never. */
  @IsOptional()
  @IsISO8601({ strict: true })
  readonly expiresAt: string | null = null;
}

export class LeaseImportDto {
  @IsArray()
  @ArrayMaxSize(maxImported)
  @ValidateNested({ each: true })
  @Type(() => ForeignLeaseDto)
  readonly leases!: readonly ForeignLeaseDto[];
  /** Says what would be, and stores nothing. */
  @IsOptional()
  @IsBoolean()
  readonly dryRun: boolean = false;
}
