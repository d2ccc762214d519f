import { Controller, Get, Param } from '@nestjs/common';
import { NotFoundError } from '@tinkerbell/domain';
import { asyncApiDocument, jsonSchema, publicTypes } from '@tinkerbell/public-events';
import { Site } from '../site';

@Controller('api/public-events')
export class PublicEventsApiController {
  constructor(private readonly site: Site) {}

  @Get()
  list(): unknown {
    return publicTypes.map(({ id, summary }) => ({ id, summary, schema: `/api/public-events/${id}` }));
  }

  @Get('asyncapi')
  asyncApi(): unknown {
    return asyncApiDocument(this.site.version);
  }

  /** JSON Schema of the data. */
  @Get(':id')
  schema(@Param('id') id: string): unknown {
    const type = publicTypes.find((each) => each.id === id);
    if (!type) throw new NotFoundError('public event', id);
    return jsonSchema(type);
  }
}
