import type { FailureReason, JsonObject } from '@tinkerbell/events';
import type { FinishedReport, HandlerReport, ReadyReport, StartedReport } from '@tinkerbell/messaging';
import {
  IsIn,
  IsInt,
  IsISO8601,
  IsNumber,
  IsObject,
  IsOptional,
  IsString,
  Length,
  Matches,
  Max,
  MaxLength,
  Min,
  ValidateIf,
} from 'class-validator';

const outcomes = ['succeeded', 'failed', 'timed-out', 'cancelled'] as const;
const reasons = ['exit', 'pull', 'create', 'start', 'engine', 'refused', 'unknown-outcome'] as const;
const handlers = ['on-failure', 'on-timeout'] as const;
const aYear = 31_622_400;

class AttemptDto {
  @Matches(/^[A-Za-z0-9_-]{1,64}$/)
  readonly workflowId!: string;
  @IsInt()
  @Min(0)
  readonly index!: number;
  @IsInt()
  @Min(1)
  @Max(1_000_000)
  readonly attempt!: number;
}

export class ReadyReportDto implements ReadyReport {
  @Length(1, 64)
  readonly bootId!: string;
  @IsString()
  @MaxLength(64)
  readonly workerVersion!: string;
  @IsString()
  @MaxLength(255)
  readonly hostname!: string;
  @IsString()
  @MaxLength(255)
  readonly kernel!: string;
  @IsString()
  @MaxLength(64)
  readonly node!: string;
  @IsString()
  @MaxLength(255)
  readonly engine!: string;
  @IsInt()
  @Min(0)
  readonly cpus!: number;
  @IsInt()
  @Min(0)
  readonly memoryBytes!: number;
  @IsNumber()
  @Min(0)
  readonly uptimeSeconds!: number;
}

export class StartedReportDto extends AttemptDto implements StartedReport {
  @Length(1, 64)
  readonly bootId!: string;
  @IsISO8601({ strict: true })
  readonly startedAt!: string;
}

export class FinishedReportDto extends AttemptDto implements FinishedReport {
  @IsIn(outcomes)
  readonly outcome!: (typeof outcomes)[number];
  @ValidateIf((_, value) => value !== null)
  @IsIn(reasons)
  readonly reason!: FailureReason | null;
  @ValidateIf((_, value) => value !== null)
  @IsInt()
  readonly exitCode!: number | null;
  @IsNumber()
  @Min(0)
  @Max(aYear)
  readonly seconds!: number;
  @IsISO8601({ strict: true })
  readonly finishedAt!: string;
  @IsString()
  @MaxLength(65_536)
  readonly message!: string;
  @IsOptional()
  @IsString()
  @Length(1, 64)
  readonly bootId?: string;
  @IsOptional()
  @IsObject()
  readonly outputs?: JsonObject;
}

export class HandlerReportDto extends AttemptDto implements HandlerReport {
  @IsIn(handlers)
  readonly handler!: (typeof handlers)[number];
  @ValidateIf((_, value) => value !== null)
  @IsInt()
  readonly exitCode!: number | null;
  @IsNumber()
  @Min(0)
  @Max(aYear)
  readonly seconds!: number;
  @IsString()
  @MaxLength(65_536)
  readonly message!: string;
}
