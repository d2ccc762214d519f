import { Body, Controller, Delete, Get, Param, Put, Req } from '@nestjs/common';
import type { SecretRow } from '@tinkerbell/projections';
import { AsOf } from '../history/as-of';
import { callerOf } from '../http/caller-of';
import { checked } from '../http/checked.dto';
import type { HttpRequest } from '../http/http-message';
import { listOf } from '../http/paging';
import { Query } from '../http/query';
import { SetSecretDto } from './secret.dto';
import { Secrets } from './secrets';

/** Values go in and never come out. */
@Controller('api/secrets')
export class SecretApiController {
  constructor(
    private readonly secrets: Secrets,
    private readonly asOf: AsOf,
  ) {}

  @Get()
  async list(@Req() request: HttpRequest): Promise<unknown> {
    const query = Query.of(request);
    const { secrets } = await this.asOf.reads(query);
    return listOf(secrets, ({ name }) => name, query, shown);
  }

  @Get(':name')
  async get(@Param('name') name: string, @Req() request: HttpRequest): Promise<unknown> {
    const reads = await this.asOf.reads(Query.of(request));
    const row = reads.secrets.get(name);
    if (!row) throw reads.missing('secret', name);
    return shown(row);
  }

  @Put(':name')
  set(@Param('name') name: string, @Body() body: unknown, @Req() request: HttpRequest): unknown {
    const { value } = checked(SetSecretDto, typeof body === 'string' ? { value: body } : body, 'request');
    return this.secrets.set(name, value, callerOf(request));
  }

  @Delete(':name')
  delete(@Param('name') name: string, @Req() request: HttpRequest): unknown {
    return this.secrets.delete(name, callerOf(request));
  }
}

function shown({ name, version, updatedAt, by }: SecretRow) {
  return { name, version, updatedAt, by };
}
