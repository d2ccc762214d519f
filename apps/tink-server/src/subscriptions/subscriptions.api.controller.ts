import { Body, Controller, Delete, Get, Param, Post, Put, Req, Res } from '@nestjs/common';
import type { SubscriptionRow } from '@tinkerbell/projections';
import { AsOf } from '../history/as-of';
import { callerOf } from '../http/caller-of';
import { checked } from '../http/checked.dto';
import type { HttpRequest, HttpResponse } from '../http/http-message';
import { sendNdjson } from '../http/ndjson';
import { listOf } from '../http/paging';
import { Query } from '../http/query';
import { DeadLetters } from './dead-letters';
import { sendNext } from './send-next';
import { SubscriptionCommands } from './subscription-commands';
import { SubscriptionFeed } from './subscription-feed';
import { NextEventDto, PutSubscriptionDto, RedeliverDto } from './subscription.dto';
import { subscriptionSummary } from './subscription.presenter';

@Controller('api/subscriptions')
export class SubscriptionsApiController {
  constructor(
    private readonly commands: SubscriptionCommands,
    private readonly asOf: AsOf,
    private readonly feed: SubscriptionFeed,
    private readonly deadLetters: DeadLetters,
  ) {}

  @Get()
  async list(@Req() request: HttpRequest): Promise<unknown> {
    const query = Query.of(request);
    const { subscriptions } = await this.asOf.reads(query);
    return listOf(subscriptions, ({ name }) => name, query, subscriptionSummary);
  }

  @Get(':name')
  async get(@Param('name') name: string, @Req() request: HttpRequest): Promise<unknown> {
    return subscriptionSummary(await this.row(name, request));
  }

  @Put(':name')
  put(@Param('name') name: string, @Body() body: unknown, @Req() request: HttpRequest): unknown {
    return this.commands.put(name, checked(PutSubscriptionDto, body ?? {}, 'request'), callerOf(request));
  }

  @Delete(':name')
  delete(@Param('name') name: string, @Req() request: HttpRequest): unknown {
    return this.commands.delete(name, callerOf(request));
  }

  @Get(':name/dead-letters')
  async listDeadLetters(@Param('name') name: string, @Req() request: HttpRequest): Promise<unknown> {
    return (await this.row(name, request)).deadLetters;
  }

  /** NDJSON, one line for each event as soon as it is known what became of it. */
  @Post(':name/redeliver')
  redeliver(
    @Param('name') name: string,
    @Body() body: unknown,
    @Req() request: HttpRequest,
    @Res() response: HttpResponse,
  ): Promise<void> {
    const { event } = checked(RedeliverDto, body ?? {}, 'request');
    const row = this.commands.find(name);
    return sendNdjson(response, (signal) => this.deadLetters.redeliver(row, event, callerOf(request), signal));
  }

  /** One event in structured mode, with `max` several in batched mode, or 204 when none came in time. */
  @Post(':name/next')
  next(@Param('name') name: string, @Body() body: unknown, @Res() response: HttpResponse): Promise<void> {
    const { ack, max, waitSeconds = 20 } = checked(NextEventDto, body ?? {}, 'request');
    const row = this.commands.find(name);
    const options = { ack, max, waitMs: waitSeconds * 1000 };
    return sendNext(response, max !== undefined, (signal) => this.feed.next(row, { ...options, signal }));
  }

  private async row(name: string, request: HttpRequest): Promise<SubscriptionRow> {
    const reads = await this.asOf.reads(Query.of(request));
    const row = reads.subscriptions.get(name);
    if (!row) throw reads.missing('subscription', name);
    return row;
  }
}
