import { Body, Controller, Delete, Get, HttpCode, Param, Post, Req, Res } from '@nestjs/common';
import { callerOf } from '../http/caller-of';
import type { HttpRequest, HttpResponse } from '../http/http-message';
import { sendNdjson } from '../http/ndjson';
import { parseJson } from '../http/json-text';
import { ReadSide, rowsOf } from '../read-side';
import { WorkflowCommands } from '../workflow/workflow-commands';
import { devicesOf } from '../workflow/workflow.dto';
import { contextJson, eventJson, workflowJson } from '../workflow/workflow.presenter';
import { done, textField } from './gateway';

@Controller('v1/workflows')
export class WorkflowV1Controller {
  constructor(
    private readonly commands: WorkflowCommands,
    private readonly reads: ReadSide,
  ) {}

  /** `hardware` is JSON text, as in gRPC. */
  @Post()
  @HttpCode(200)
  async create(@Body() body: unknown, @Req() request: HttpRequest): Promise<unknown> {
    const [template, hardware] = [textField(body, 'template'), textField(body, 'hardware')];
    const { id } = await this.commands.create({ template, devices: devicesOf(parseJson(hardware)) }, callerOf(request));
    return done('workflow created successfully', id);
  }

  @Get()
  list(@Res() response: HttpResponse): Promise<void> {
    const { workflows } = this.reads;
    return sendNdjson(response, async function* () {
      for await (const row of rowsOf(workflows, ({ id }) => id))
        if (row.deletedAt === null) yield workflowJson(row, false);
    });
  }

  @Get(':id')
  get(@Param('id') id: string): unknown {
    return workflowJson(this.reads.workflow(id), true);
  }

  @Delete(':id')
  async delete(@Param('id') id: string, @Req() request: HttpRequest): Promise<unknown> {
    await this.commands.delete(id, callerOf(request));
    return done('workflow deleted successfully', id);
  }

  @Get(':id/state')
  state(@Param('id') id: string): unknown {
    return contextJson(this.reads.workflow(id));
  }

  @Get(':id/events')
  events(@Param('id') id: string, @Res() response: HttpResponse): Promise<void> {
    const row = this.reads.workflow(id);
    return sendNdjson(response, () => row.events.map((event) => eventJson(row.id, event)));
  }
}
