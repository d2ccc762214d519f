import { Body, Controller, Get, HttpCode, Param, Post, Req } from '@nestjs/common';
import { InvalidError } from '@tinkerbell/domain';
import { AsOf } from '../history/as-of';
import { callerOf } from '../http/caller-of';
import { checked } from '../http/checked.dto';
import type { HttpRequest } from '../http/http-message';
import { Query } from '../http/query';
import { TemplateHistory } from './template-history';
import { RestoreTemplateDto } from './template.dto';

const maxVersion = 1e9;

@Controller('api/templates/:idOrName')
export class TemplateHistoryApiController {
  constructor(
    private readonly history: TemplateHistory,
    private readonly asOf: AsOf,
  ) {}

  @Get('versions')
  async versions(@Param('idOrName') idOrName: string, @Req() request: HttpRequest): Promise<unknown> {
    const query = Query.of(request);
    const then = await this.asOf.moment(query, 'at');
    return this.history.versions(idOrName, await this.asOf.reads(query), then?.position);
  }

  @Get('versions/:version')
  version(@Param('idOrName') idOrName: string, @Param('version') version: string): unknown {
    return this.history.version(idOrName, numberOf(version));
  }

  @Get('diff')
  diff(@Param('idOrName') idOrName: string, @Req() request: HttpRequest): unknown {
    const query = Query.of(request);
    return this.history.diff(idOrName, query.whole('from', 1, maxVersion), query.whole('to', 1, maxVersion));
  }

  @Post('restore')
  @HttpCode(200)
  restore(@Param('idOrName') idOrName: string, @Body() body: unknown, @Req() request: HttpRequest): unknown {
    const { version } = checked(RestoreTemplateDto, body, 'request');
    return this.history.restore(idOrName, version, callerOf(request));
  }
}

function numberOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidError('version', `version must be a whole number from 1, got ${JSON.stringify(text)}`);
}
