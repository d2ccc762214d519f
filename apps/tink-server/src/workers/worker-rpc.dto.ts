import type {
  AttemptRef,
  DataGetRequest,
  DataPutRequest,
  NextRequest,
  PermitRequest,
  StateRequest,
} from '@tinkerbell/messaging';
import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsInt,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';

/** Public user nkey. */
const userKey = /^U[A-Z2-7]{55}$/;

class OfWorkflowDto {
  @Matches(/^[A-Za-z0-9_-]{1,64}$/)
  readonly workflowId!: string;
}

export class StateRequestDto extends OfWorkflowDto implements StateRequest {
  @IsInt()
  @Min(0)
  readonly index!: number;
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  readonly attempt!: number;
}

export class NextRequestDto implements NextRequest {
  @IsString()
  @Length(1, 64)
  readonly bootId!: string;
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(64)
  @ValidateNested({ each: true })
  @Type(() => StateRequestDto)
  readonly busy?: readonly AttemptRef[];
  @IsOptional()
  @Matches(userKey)
  readonly key?: string;
}

export class PermitRequestDto extends StateRequestDto implements PermitRequest {
  @IsString()
  @Length(1, 64)
  readonly bootId!: string;
  @Matches(/^[0-9a-f]{16,64}$/)
  readonly nonce!: string;
  @IsArray()
  @ArrayMaxSize(256)
  @IsString({ each: true })
  @MaxLength(128, { each: true })
  readonly disks!: readonly string[];
  @IsOptional()
  @Matches(userKey)
  readonly key?: string;
}

export class DataGetRequestDto extends OfWorkflowDto implements DataGetRequest {
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(1_000_000_000)
  readonly version?: number;
}

export class DataPutRequestDto extends OfWorkflowDto implements DataPutRequest {
  @IsInt()
  @Min(0)
  readonly index!: number;
  @IsString()
  readonly data!: string;
}
