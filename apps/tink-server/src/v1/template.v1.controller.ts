import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { callerOf } from '../http/caller-of';
import type { HttpRequest, HttpResponse } from '../http/http-message';
import { sendNdjson } from '../http/ndjson';
import { Query } from '../http/query';
import { ReadSide, rowsOf } from '../read-side';
import { findTemplate, TemplateCommands } from '../template/template-commands';
import { nameMatcher, templateGatewayJson } from '../template/template.presenter';
import { done, optionalText, textField } from './gateway';

@Controller('v1/templates')
export class TemplateV1Controller {
  constructor(
    private readonly commands: TemplateCommands,
    private readonly reads: ReadSide,
  ) {}

  @Post()
  @HttpCode(200)
  async create(@Body() body: unknown, @Req() request: HttpRequest): Promise<unknown> {
    const id = optionalText(body, 'id');
    const template = { name: textField(body, 'name'), data: textField(body, 'data'), ...(id ? { id } : {}) };
    const created = await this.commands.create(template, callerOf(request));
    return done('template created successfully', created.id);
  }

  @Get()
  list(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    const matches = nameMatcher(Query.of(request).text('name') ?? '*');
    const { templates } = this.reads;
    return sendNdjson(response, async function* () {
      for await (const row of rowsOf(templates, ({ id }) => id)) if (matches(row.name)) yield templateGatewayJson(row);
    });
  }

  @Get(['name/:name', ':name'])
  get(@Param('name') name: string): unknown {
    return templateGatewayJson(findTemplate(this.reads, name));
  }

  @Delete(['name/:name', ':name'])
  async delete(@Param('name') name: string, @Req() request: HttpRequest): Promise<unknown> {
    const { id } = await this.commands.delete(name, callerOf(request));
    return done('template deleted successfully', id);
  }
}
