import { Body, Controller, Delete, Get, Header, Param, Post, Put, Req, Res } from '@nestjs/common';
import { isTerminal } from '@tinkerbell/domain';
import { callerOf } from '../http/caller-of';
import { checked } from '../http/checked.dto';
import type { HttpRequest, HttpResponse } from '../http/http-message';
import { sendNdjson } from '../http/ndjson';
import { listBytes } from '../http/paging';
import { Query } from '../http/query';
import { AsOf } from '../history/as-of';
import { ReadSide } from '../read-side';
import { actionIndex } from './action-index';
import { ActionLogs } from './action-logs';
import { WorkflowCommands } from './workflow-commands';
import { WorkflowData } from './workflow-data';
import { workflowPieces } from './workflow-view';
import { CreateWorkflowDto, devicesOf } from './workflow.dto';

const json = 'application/json; charset=utf-8';
const statuses = ['pending', 'running', 'success', 'failed', 'timeout', 'cancelled'] as const;

@Controller('api/workflows')
export class WorkflowApiController {
  constructor(
    private readonly commands: WorkflowCommands,
    private readonly data: WorkflowData,
    private readonly logs: ActionLogs,
    private readonly reads: ReadSide,
    private readonly asOf: AsOf,
  ) {}

  @Get()
  @Header('Content-Type', json)
  async list(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    const query = Query.of(request);
    const status = query.oneOf('status', statuses);
    const worker = query.text('worker')?.toLowerCase();
    const reads = await this.asOf.reads(query);
    // A worker has few workflows, a status many.
    const lookups = [...(worker ? [`worker:${worker}`] : []), ...(status ? [`status:${status}`] : [])];
    const which = { lookups, without: 'deleted' };
    response.end(await listBytes(reads.workflows, query, which, (entry) => workflowPieces(reads, entry)));
  }

  @Get(':id')
  @Header('Content-Type', json)
  async get(@Param('id') id: string, @Req() request: HttpRequest): Promise<string> {
    const reads = await this.asOf.reads(Query.of(request));
    return workflowPieces(reads, reads.workflowEntry(id)).join('');
  }

  @Post()
  create(@Body() body: unknown, @Req() request: HttpRequest): unknown {
    const { template, hardware } = checked(CreateWorkflowDto, body, 'request');
    return this.commands.create({ template, devices: devicesOf(hardware) }, callerOf(request));
  }

  @Delete(':id')
  delete(@Param('id') id: string, @Req() request: HttpRequest): unknown {
    return this.commands.delete(id, callerOf(request));
  }

  @Get(':id/data')
  async getData(@Param('id') id: string, @Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    const { version, latest, metadata, text } = await this.data.get(id, Query.of(request).whole('version', 0, 1e9));
    response.setHeader('Content-Type', json);
    // The data itself goes out as it came in.
    response.end(`${JSON.stringify({ version, latest, metadata }).slice(0, -1)},"data":${text}}\n`);
  }

  @Put(':id/data')
  putData(@Param('id') id: string, @Body() body: unknown, @Req() request: HttpRequest): unknown {
    return this.data.put(id, typeof body === 'string' ? body : '', null, callerOf(request));
  }

  @Get(':id/logs')
  getLogs(@Param('id') id: string, @Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    const query = Query.of(request);
    const row = this.reads.workflow(id);
    const [follow, since] = [query.flag('follow'), query.time('since')];
    const action = query.text('action');
    const specs = row.actions.map(({ spec }) => spec);
    const index = action === undefined ? undefined : actionIndex(specs, action);
    // A workflow that has ended will write nothing more.
    const live = follow && !isTerminal(row.status);
    return sendNdjson(response, (signal) => this.logs.lines(row, { index, since, follow: live, signal }), {
      follow,
    });
  }
}
