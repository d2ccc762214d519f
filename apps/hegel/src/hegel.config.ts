import { Transform } from 'class-transformer';
import { IsBoolean, IsInt, IsIP, IsString, Max, Min } from 'class-validator';

const flag = Transform(({ obj, key }) => {
  const given = (obj as Record<string, unknown>)[key];
  return given === 'true' ? true : given === 'false' ? false : given;
});

/** Settings of hegel; the names that the first hegel had are kept. */
export class HegelConfig {
  @IsIP()
  readonly HEGEL_HTTP_ADDRESS: string = '0.0.0.0';

  @IsInt()
  @Min(0)
  @Max(65535)
  readonly HEGEL_HTTP_PORT: number = 50061;

  /** Addresses or CIDRs, comma separated. */
  @IsString()
  readonly TRUSTED_PROXIES: string = '';

  /** JSON object, path → jq filter over the hardware record. Replaces the default, `{"/metadata": ".metadata.instance"}`. */
  @IsString()
  readonly CUSTOM_ENDPOINTS: string = '';

  /** End directory names with `/` in listings, as EC2 and today's Tinkerbell do. */
  @flag
  @IsBoolean()
  readonly HEGEL_DIRECTORY_SLASH: boolean = false;

  /** Serve `/tootles/instanceID/<id>/…` to anyone who knows the id, for machines behind address translation. */
  @flag
  @IsBoolean()
  readonly HEGEL_INSTANCE_URLS: boolean = false;

  @IsString()
  readonly GIT_REV: string = 'unknown';
}
