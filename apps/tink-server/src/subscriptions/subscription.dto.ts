import { Type } from 'class-transformer';
import {
  ArrayMaxSize,
  IsArray,
  IsInt,
  IsOptional,
  IsString,
  Max,
  MaxLength,
  Min,
  ValidateNested,
} from 'class-validator';

class WebhookDto {
  @IsString()
  @MaxLength(2000)
  readonly url!: string;
  /** `whsec_…`; left out, one is made. */
  @IsOptional()
  @IsString()
  @MaxLength(100)
  readonly secret?: string;
}

export class PutSubscriptionDto {
  @IsOptional()
  @IsArray()
  @ArrayMaxSize(100)
  @IsString({ each: true })
  @MaxLength(200, { each: true })
  readonly filters?: readonly string[];
  /** `now`, `first`, a position or an ISO 8601 time. */
  @IsOptional()
  @IsString()
  @MaxLength(40)
  readonly start?: string;
  @IsOptional()
  @ValidateNested()
  @Type(() => WebhookDto)
  readonly webhook?: WebhookDto;
}

export class NextEventDto {
  /** Id of an event that was handed out last: it is done, with those before it. */
  @IsOptional()
  @IsString()
  @MaxLength(40)
  readonly ack?: string;
  /** Events in one answer, at most, which is a list then. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(100)
  readonly max?: number;
  /** Seconds to wait for an event. */
  @IsOptional()
  @IsInt()
  @Min(0)
  @Max(55)
  readonly waitSeconds?: number;
}

export class RedeliverDto {
  /** Id of one event; left out, all dead letters. */
  @IsOptional()
  @IsString()
  @MaxLength(40)
  readonly event?: string;
}
