import { InvalidError } from '@tinkerbell/domain';
import { IsIn, IsObject, IsOptional, IsString, Length, MaxLength } from 'class-validator';

export class CreateWorkflowDto {
  /** Id or name. */
  @IsString()
  @Length(1, 200)
  readonly template!: string;
  @IsObject()
  readonly hardware!: Readonly<Record<string, unknown>>;
}

/** Why a person decides so; part of the record. */
export class ReasonDto {
  @IsOptional()
  @IsString()
  @MaxLength(200)
  readonly reason?: string;
}

/** Skipping what a machine would have done wants a reason. */
export class SkipDto {
  @IsString()
  @Length(1, 200)
  readonly reason!: string;
}

export class ResolveDto extends ReasonDto {
  @IsIn(['succeeded', 'failed', 'restart', 'resume'])
  readonly as!: 'succeeded' | 'failed' | 'restart' | 'resume';
}

export class RetryDto {
  /** Index, id or name of the action to begin with. */
  @IsOptional()
  @IsString()
  @Length(1, 450)
  readonly from?: string;
}

/** Device name → MAC or IPv4 address. Throws InvalidError naming the device. */
export function devicesOf(hardware: unknown): Readonly<Record<string, string>> {
  if (typeof hardware !== 'object' || hardware === null || Array.isArray(hardware)) {
    throw new InvalidError('hardware', 'hardware must be a JSON object of device name and address');
  }
  return Object.fromEntries(
    Object.entries(hardware).map(([name, address]: [string, unknown]) => {
      if (typeof address === 'string') return [name, address];
      throw new InvalidError(`hardware.${name}`, `hardware.${name} must be a string, got ${JSON.stringify(address)}`);
    }),
  );
}
