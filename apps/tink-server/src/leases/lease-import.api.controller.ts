import { Body, Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { NotFoundError, parseIp } from '@tinkerbell/domain';
import { type ImportAnswer, isSubjectToken, LeaseImports } from '@tinkerbell/messaging';
import { callerOf } from '../http/caller-of';
import { checked } from '../http/checked.dto';
import type { HttpRequest } from '../http/http-message';
import { LeaseImportDto } from './lease-import.dto';

/** Leases of another DHCP server, for the boots that takes its place: the one that is active writes them. */
@Controller('api/lease-pools')
export class LeaseImportApiController {
  constructor(private readonly imports: LeaseImports) {}

  @Post(':pool/import')
  @HttpCode(200)
  import(@Param('pool') pool: string, @Body() body: unknown, @Req() request: HttpRequest): Promise<ImportAnswer> {
    const { leases, dryRun } = checked(LeaseImportDto, body, 'request');
    if (!isSubjectToken(pool)) throw new NotFoundError('lease pool', pool);
    const plain = leases.map((lease) => ({ ...lease, ip: parseIp(lease.ip)?.address ?? lease.ip }));
    return this.imports.ask(pool, { leases: plain, dryRun, actor: callerOf(request).actor });
  }
}
