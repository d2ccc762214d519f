import { Body, Controller, Get, HttpCode, Post } from '@nestjs/common';
import type { ReadModelStatus } from '@tinkerbell/event-store';
import { checked } from './http/checked.dto';
import { RebuildDto } from './read-models.dto';
import { ReadSide } from './read-side';
import { Site } from './site';

interface ReadModelView extends ReadModelStatus {
  /** Commits of the log that are not in the rows yet; null when the log cannot be asked. */
  readonly lag: number | null;
}

/** tink-server's own read models: how they stand, and building them anew beside those that answer. */
@Controller('api/read-models')
export class ReadModelsApiController {
  constructor(
    private readonly reads: ReadSide,
    private readonly site: Site,
  ) {}

  @Get()
  async list(): Promise<readonly ReadModelView[]> {
    const { log } = await this.site.health(this.reads);
    return this.reads.status().map((status) => ({
      ...status,
      lag: log === null ? null : Math.max(0, log - status.position),
    }));
  }

  @Post('rebuild')
  @HttpCode(202)
  rebuild(@Body() body: unknown): Promise<readonly ReadModelView[]> {
    this.reads.rebuild(checked(RebuildDto, body ?? {}, 'request').projections);
    return this.list();
  }
}
