import { Body, Controller, Delete, Get, Param, Post, Put, Req } from '@nestjs/common';
import { callerOf } from '../http/caller-of';
import { checked } from '../http/checked.dto';
import type { HttpRequest } from '../http/http-message';
import { listOf } from '../http/paging';
import { Query } from '../http/query';
import { AsOf } from '../history/as-of';
import { findTemplate, TemplateCommands } from './template-commands';
import { CreateTemplateDto, UpdateTemplateDto } from './template.dto';
import { nameMatcher } from './template.presenter';

@Controller('api/templates')
export class TemplateApiController {
  constructor(
    private readonly commands: TemplateCommands,
    private readonly asOf: AsOf,
  ) {}

  @Get()
  async list(@Req() request: HttpRequest): Promise<unknown> {
    const query = Query.of(request);
    const matches = nameMatcher(query.text('name') ?? '*');
    return listOf(
      (await this.asOf.reads(query)).templates,
      ({ id }) => id,
      query,
      (row) => (matches(row.name) ? row : undefined),
    );
  }

  @Get(':idOrName')
  async get(@Param('idOrName') idOrName: string, @Req() request: HttpRequest): Promise<unknown> {
    return findTemplate(await this.asOf.reads(Query.of(request)), idOrName);
  }

  @Post()
  create(@Body() body: unknown, @Req() request: HttpRequest): unknown {
    return this.commands.create(checked(CreateTemplateDto, body, 'request'), callerOf(request));
  }

  @Put(':id')
  update(@Param('id') id: string, @Body() body: unknown, @Req() request: HttpRequest): unknown {
    return this.commands.update(id, checked(UpdateTemplateDto, body, 'request'), callerOf(request));
  }

  @Delete(':id')
  delete(@Param('id') id: string, @Req() request: HttpRequest): unknown {
    return this.commands.delete(id, callerOf(request));
  }
}
