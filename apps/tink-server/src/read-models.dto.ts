import { ArrayUnique, IsOptional, IsString } from 'class-validator';

/** Body of `POST /api/read-models/rebuild`. */
export class RebuildDto {
  /** Names; without them all are built anew. */
  @IsOptional()
  @IsString({ each: true })
  @ArrayUnique()
  readonly projections?: readonly string[];
}
