import { IsOptional, IsString, IsUUID } from 'class-validator';

export class CreateTemplateDto {
  @IsOptional()
  @IsUUID()
  readonly id?: string;
  @IsString()
  readonly name!: string;
  @IsString()
  readonly data!: string;
}

export class UpdateTemplateDto {
  @IsOptional()
  @IsString()
  readonly name?: string;
  @IsOptional()
  @IsString()
  readonly data?: string;
}
