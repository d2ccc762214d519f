import { Body, Controller, HttpCode, Param, Post, Req } from '@nestjs/common';
import { callerOf } from '../http/caller-of';
import { checked } from '../http/checked.dto';
import type { HttpRequest } from '../http/http-message';
import { WorkflowCommands } from './workflow-commands';
import { ReasonDto, ResolveDto, RetryDto, SkipDto } from './workflow.dto';

/** What people decide about a workflow while it is under way, and after. */
@Controller('api/workflows/:id')
export class WorkflowDecisionsApiController {
  constructor(private readonly commands: WorkflowCommands) {}

  @Post('cancel')
  @HttpCode(200)
  cancel(@Param('id') id: string, @Body() body: unknown, @Req() request: HttpRequest): unknown {
    return this.commands.decide(id, { type: 'CancelWorkflow', reason: reasonOf(body) }, callerOf(request));
  }

  @Post('pause')
  @HttpCode(200)
  pause(@Param('id') id: string, @Body() body: unknown, @Req() request: HttpRequest): unknown {
    return this.commands.decide(id, { type: 'PauseWorkflow', reason: reasonOf(body) }, callerOf(request));
  }

  @Post('resume')
  @HttpCode(200)
  resume(@Param('id') id: string, @Body() body: unknown, @Req() request: HttpRequest): unknown {
    return this.commands.decide(id, { type: 'ResumeWorkflow', reason: reasonOf(body) }, callerOf(request));
  }

  @Post('clone')
  clone(@Param('id') id: string, @Req() request: HttpRequest): unknown {
    return this.commands.repeat(id, { from: null }, callerOf(request));
  }

  @Post('retry')
  retry(@Param('id') id: string, @Body() body: unknown, @Req() request: HttpRequest): unknown {
    const { from } = checked(RetryDto, body ?? {}, 'request');
    return this.commands.repeat(id, from === undefined ? {} : { from }, callerOf(request));
  }

  @Post('actions/:action/approve')
  @HttpCode(200)
  approve(@Param() of: OfAction, @Body() body: unknown, @Req() request: HttpRequest): unknown {
    const decision = { type: 'ApproveAction', reason: reasonOf(body) } as const;
    return this.commands.decideAction(of.id, of.action, decision, callerOf(request));
  }

  @Post('actions/:action/reject')
  @HttpCode(200)
  reject(@Param() of: OfAction, @Body() body: unknown, @Req() request: HttpRequest): unknown {
    const decision = { type: 'RejectAction', reason: reasonOf(body) } as const;
    return this.commands.decideAction(of.id, of.action, decision, callerOf(request));
  }

  @Post('actions/:action/skip')
  @HttpCode(200)
  skip(@Param() of: OfAction, @Body() body: unknown, @Req() request: HttpRequest): unknown {
    const decision = { type: 'SkipAction', reason: checked(SkipDto, body ?? {}, 'request').reason } as const;
    return this.commands.decideAction(of.id, of.action, decision, callerOf(request));
  }

  @Post('actions/:action/resolve')
  @HttpCode(200)
  resolve(@Param() of: OfAction, @Body() body: unknown, @Req() request: HttpRequest): unknown {
    const { as, reason = '' } = checked(ResolveDto, body ?? {}, 'request');
    return this.commands.decideAction(of.id, of.action, { type: 'ResolveOutcome', as, reason }, callerOf(request));
  }
}

interface OfAction {
  readonly id: string;
  readonly action: string;
}

function reasonOf(body: unknown): string {
  return checked(ReasonDto, body ?? {}, 'request').reason ?? '';
}
