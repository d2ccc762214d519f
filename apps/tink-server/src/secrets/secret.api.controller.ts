import { Body, Controller, Delete, Get, Param, Put, Req } from '@nestjs/common';
import { NotFoundError } from '@tinkerbell/domain';
import type { SecretRow } from '@tinkerbell/projections';
import { callerOf } from '../http/caller-of';
import { checked } from '../http/checked.dto';
import type { HttpRequest } from '../http/http-message';
import { listOf } from '../http/paging';
import { Query } from '../http/query';
import { ReadSide } from '../read-side';
import { SetSecretDto } from './secret.dto';
import { Secrets } from './secrets';

/** Values go in and never come out. */
@Controller('api/secrets')
export class SecretApiController {
  constructor(
    private readonly secrets: Secrets,
    private readonly reads: ReadSide,
  ) {}

  @Get()
  list(@Req() request: HttpRequest): unknown {
    return listOf(this.reads.secrets, ({ name }) => name, Query.of(request), shown);
  }

  @Get(':name')
  get(@Param('name') name: string): unknown {
    const row = this.reads.secrets.get(name);
    if (!row) throw new NotFoundError('secret', name);
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
