import { InvalidError } from '@tinkerbell/domain';
import { IsObject, IsString, Length } from 'class-validator';

export class CreateWorkflowDto {
  /** Id or name. */
  @IsString()
  @Length(1, 200)
  readonly template!: string;
  @IsObject()
  readonly hardware!: Readonly<Record<string, unknown>>;
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
