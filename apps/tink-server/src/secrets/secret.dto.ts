import { IsString } from 'class-validator';

export class SetSecretDto {
  @IsString()
  readonly value!: string;
}
