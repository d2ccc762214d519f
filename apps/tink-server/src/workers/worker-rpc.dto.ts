import type { DataGetRequest, DataPutRequest, NextRequest, StateRequest } from '@tinkerbell/messaging';
import { IsInt, IsOptional, IsString, Length, Matches, Max, Min } from 'class-validator';

export class NextRequestDto implements NextRequest {
  @IsString()
  @Length(1, 64)
  readonly bootId!: string;
}

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
  readonly attempt!: number;
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
