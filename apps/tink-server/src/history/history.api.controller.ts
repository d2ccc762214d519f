import { Controller, Get, Param, Req, Res } from '@nestjs/common';
import type { HttpRequest, HttpResponse } from '../http/http-message';
import { sendNdjson } from '../http/ndjson';
import { Query } from '../http/query';
import { Bundles } from './bundles';
import { Differences } from './differences';
import { Explanations } from './explanations';

/** What an event log makes possible for people. */
@Controller('api')
export class HistoryApiController {
  constructor(
    private readonly explanations: Explanations,
    private readonly bundles: Bundles,
    private readonly differences: Differences,
  ) {}

  @Get('explain/machines/:name')
  explainMachine(@Param('name') name: string, @Req() request: HttpRequest): unknown {
    return this.explanations.machine(name, Query.of(request));
  }

  @Get('explain/workflows/:id')
  explainWorkflow(@Param('id') id: string, @Req() request: HttpRequest): unknown {
    return this.explanations.workflow(id, Query.of(request));
  }

  @Get('bundle/machines/:name')
  machineBundle(@Param('name') name: string, @Res() response: HttpResponse): Promise<void> {
    return sendNdjson(response, (signal) => this.bundles.machine(name, signal));
  }

  @Get('bundle/workflows/:id')
  workflowBundle(@Param('id') id: string, @Res() response: HttpResponse): Promise<void> {
    return sendNdjson(response, (signal) => this.bundles.workflow(id, signal));
  }

  @Get('diff')
  diff(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    return sendNdjson(response, () => this.differences.between(Query.of(request)));
  }
}
