import { IsInt, IsObject, IsOptional, IsString, IsUUID, Length, Max, Min } from 'class-validator';

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

/** A text that is not stored. */
export class TemplateTextDto {
  @IsString()
  readonly data!: string;
}

/** A stored template (id or name) or a text, for these devices. */
export class TryTemplateDto {
  @IsOptional()
  @IsString()
  @Length(1, 200)
  readonly template?: string;
  @IsOptional()
  @IsString()
  readonly data?: string;
  @IsObject()
  readonly hardware!: Readonly<Record<string, unknown>>;
}

export class ReplayTemplateDto {
  @IsString()
  @Length(1, 200)
  readonly template!: string;
  @IsOptional()
  @IsString()
  readonly data?: string;
  /** Workflows looked at, newest first. */
  @IsOptional()
  @IsInt()
  @Min(1)
  @Max(1000)
  readonly limit?: number;
}

export class RestoreTemplateDto {
  @IsInt()
  @Min(1)
  readonly version!: number;
}
