import { IsBoolean, IsInt, IsIP, IsOptional, IsString, Max, Min, ValidateIf } from 'class-validator';
import { Transform } from 'class-transformer';
import { usualProgramFolders } from '@tinkerbell/boots';

const Port = () => (target: object, key: string) => {
  IsInt()(target, key);
  Min(0)(target, key);
  Max(65535)(target, key);
};
const Flag = () => (target: object, key: string) => {
  Transform(({ obj, key: name }: { obj: Record<string, unknown>; key: string }) => {
    const value = obj[name];
    if (value === 'true' || value === '1') return true;
    return value === 'false' || value === '0' ? false : value;
  })(target, key);
  IsBoolean()(target, key);
};

/** Settings of `tink up`: a flag `--http-port 8080` is the environment's `TINKERBELL_HTTP_PORT=8080`. Ports: 0 picks a free one. */
export class TinkerbellConfig {
  @IsString() readonly DATA: string = '.tinkerbell';
  /** The address that machines reach us at. Empty: this host's only address. */
  @IsOptional() @IsIP(4) readonly IP?: string;
  /** The same by IPv6; empty: they do not. Every service that machines need then listens on all addresses of the host. */
  @ValidateIf(({ IP6 }: TinkerbellConfig) => IP6 !== '')
  @IsIP(6)
  readonly IP6: string = '';
  @IsString() readonly INTERFACE: string = '';
  @Flag() readonly ROUTER_ADVERTISEMENTS: boolean = false;
  @IsString() readonly POOL: string = 'default';

  @Flag() readonly DHCP: boolean = true;
  @Port() readonly DHCP_PORT: number = 67;
  @Port() readonly TFTP_PORT: number = 69;
  @Port() readonly HTTP_PORT: number = 80;
  @Flag() readonly HTTPS_BOOT: boolean = false;
  @Port() readonly HTTPS_PORT: number = 443;
  @Port() readonly HEGEL_PORT: number = 50061;
  @Port() readonly SERVER_HTTP_PORT: number = 42114;
  @Port() readonly SERVER_HTTPS_PORT: number = 42124;
  /** The gRPC API of the originals knows no caller's identity; it stays on loopback unless told otherwise. */
  @IsIP(4) readonly GRPC_HOST: string = '127.0.0.1';
  @Port() readonly GRPC_PORT: number = 42113;
  @IsIP(4) readonly DASHBOARD_HOST: string = '127.0.0.1';
  @Port() readonly DASHBOARD_PORT: number = 42180;
  @Port() readonly NATS_PORT: number = 4222;
  @Port() readonly REGISTRY_PORT: number = 5000;

  @IsString() readonly OSIE_DIR: string = '.cache/osie/current';
  @IsString() readonly IPXE_DIR: string = usualProgramFolders;
  @IsString() readonly IMAGES_DIR: string = '.cache/images';
  @IsString() readonly ACTIONS_DIR: string = '.cache/actions';
  @Flag() readonly ALLOW_LAZY_SYNC: boolean = false;
  @Flag() readonly JSON: boolean = false;
  @Flag() readonly DEBUG: boolean = false;
}
