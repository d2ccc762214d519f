import { Controller, Get, Req, Res } from '@nestjs/common';
import { aggregates } from '@tinkerbell/events';
import { EventStore } from '@tinkerbell/event-store';
import type { HttpRequest, HttpResponse } from '../http/http-message';
import { sendNdjson } from '../http/ndjson';
import { Query } from '../http/query';
import { AuditExport, type AuditKeyView } from './audit-export';
import { readAuditLog } from './audit-log';

@Controller('api/audit')
export class AuditApiController {
  constructor(
    private readonly store: EventStore,
    private readonly audit: AuditExport,
  ) {}

  /** The site's own key first. */
  @Get('keys')
  keys(): readonly AuditKeyView[] {
    return this.audit.keys();
  }

  @Get('export')
  export(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    const query = Query.of(request);
    const since = query.whole('since', 1, Number.MAX_SAFE_INTEGER);
    const options = { bodies: query.flag('bodies'), secrets: query.flag('secrets'), since };
    return sendNdjson(response, (signal) => this.audit.lines(options, signal));
  }

  @Get('log')
  log(@Req() request: HttpRequest, @Res() response: HttpResponse): Promise<void> {
    const query = Query.of(request);
    const options = {
      actor: query.text('actor'),
      aggregate: query.oneOf('aggregate', aggregates),
      id: query.text('id'),
      type: query.text('type'),
      since: query.time('since'),
      until: query.time('until'),
      after: query.whole('after', 0, Number.MAX_SAFE_INTEGER) ?? 0,
      limit: query.whole('limit', 0, Number.MAX_SAFE_INTEGER),
    };
    return sendNdjson(response, (signal) => readAuditLog(this.store, options, signal));
  }
}
