import { Controller, Get, Req, Res } from '@nestjs/common';
import { EventStore } from '@tinkerbell/event-store';
import type { HttpRequest, HttpResponse } from '../http/http-message';
import { sendNdjson } from '../http/ndjson';
import { Query } from '../http/query';
import { aggregates, readFeed } from './event-feed';

@Controller('api/events')
export class EventsApiController {
  constructor(private readonly store: EventStore) {}

  @Get()
  list(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    const query = Query.of(request);
    const options = {
      after: query.whole('after', 0, Number.MAX_SAFE_INTEGER) ?? 0,
      since: query.time('since'),
      aggregate: query.oneOf('aggregate', aggregates),
      id: query.text('id'),
      type: query.text('type'),
      limit: query.whole('limit', 0, Number.MAX_SAFE_INTEGER),
      follow: query.flag('follow'),
    };
    return sendNdjson(response, (signal) => readFeed(this.store, { ...options, signal }), options);
  }
}
