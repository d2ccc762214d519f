import { Transform } from 'class-transformer';
import { IsBoolean, IsInt, IsString, Max, Min } from 'class-validator';

const flag = Transform(({ obj, key }) => {
  const given = (obj as Record<string, unknown>)[key];
  return given === 'true' ? true : given === 'false' ? false : given;
});

export class DashboardConfig {
  /** Empty: 127.0.0.1 without credentials, 0.0.0.0 with them. */
  @IsString()
  readonly DASHBOARD_HTTP_ADDRESS: string = '';

  @IsInt()
  @Min(0)
  @Max(65535)
  readonly DASHBOARD_HTTP_PORT: number = 42180;

  /** Basic authentication; both or neither. */
  @IsString()
  readonly DASHBOARD_USERNAME: string = '';

  @IsString()
  readonly DASHBOARD_PASSWORD: string = '';

  /** Listen on other addresses than loopback although there are no credentials. */
  @flag
  @IsBoolean()
  readonly DASHBOARD_ALLOW_ANONYMOUS: boolean = false;

  /** Folder of the built front end; empty: found beside the program. */
  @IsString()
  readonly DASHBOARD_WEB_ROOT: string = '';

  @IsInt()
  @Min(100)
  readonly DASHBOARD_HEARTBEAT_MS: number = 5000;
}
