import type { EnrolRequest } from '@tinkerbell/messaging';
import { IsString, IsUUID, Length, Matches } from 'class-validator';

export class EnrolRequestDto implements EnrolRequest {
  @IsUUID()
  readonly workerId!: string;
  @Matches(/^[0-9a-f]{2}(?:[:-][0-9a-f]{2}){5}$/i, { message: 'mac must be a MAC address' })
  readonly mac!: string;
  @IsString()
  @Length(1, 200)
  readonly token!: string;
  @Matches(/^U[A-Z2-7]{55}$/, { message: 'publicKey must be a public user nkey, U… with 56 characters' })
  readonly publicKey!: string;
}
