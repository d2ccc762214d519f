import type { ServerResponse } from 'node:http';
import { Controller, Get, Headers, Param, ParseIntPipe, Query, Res } from '@nestjs/common';
import { LiveHub } from './live-hub';
import { LiveStreams } from './live-streams';
import type { Snapshot } from './wire';

@Controller('api')
export class LiveController {
  constructor(
    private readonly hub: LiveHub,
    private readonly streams: LiveStreams,
  ) {}

  @Get('state')
  state(): Snapshot {
    return this.hub.snapshot();
  }

  @Get('live')
  live(
    @Res() response: ServerResponse,
    @Headers('last-event-id') header?: string,
    @Query('lastEventId') query?: string,
  ): void {
    this.streams.live(response, header ?? query);
  }

  @Get('workflows/:id/actions/:index/output')
  output(
    @Res() response: ServerResponse,
    @Param('id') id: string,
    @Param('index', ParseIntPipe) index: number,
    @Headers('last-event-id') header?: string,
    @Query('lastEventId') query?: string,
  ): void {
    this.streams.output(response, id, index, header ?? query);
  }
}
