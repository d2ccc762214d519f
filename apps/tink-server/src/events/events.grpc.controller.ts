import { Controller, UseFilters } from '@nestjs/common';
import { GrpcMethod } from '@nestjs/microservices';
import { EventStore } from '@tinkerbell/event-store';
import { Observable } from 'rxjs';
import { GrpcErrorFilter } from '../grpc/grpc-error.filter';
import { serviceName } from '../grpc/grpc-listener';
import { fromTimestamp, toTimestamp, type Timestamp } from '../grpc/timestamp';
import { readFeed } from './event-feed';
import { passes, resourceEvent, type ResourceEvent, type ResourceFilter } from './resource-event';

interface WatchRequest extends ResourceFilter {
  readonly watch_events_from: Timestamp | null;
}

@Controller()
@UseFilters(GrpcErrorFilter)
export class EventsGrpcController {
  constructor(private readonly store: EventStore) {}

  /** What was stored since `watch_events_from`, then what comes; without it only what comes. */
  @GrpcMethod(serviceName('events', 'EventsService'), 'Watch')
  watch(request: WatchRequest): Observable<unknown> {
    return new Observable((subscriber) => {
      const stop = new AbortController();
      const pump = async (): Promise<void> => {
        for await (const event of this.events(request, stop.signal)) subscriber.next(message(event));
      };
      pump().then(
        () => subscriber.complete(),
        (error: unknown) => subscriber.error(error),
      );
      return () => stop.abort();
    });
  }

  private async *events(request: WatchRequest, signal: AbortSignal): AsyncGenerator<ResourceEvent> {
    const from = request.watch_events_from;
    const start = from ? { after: 0, since: fromTimestamp(from) } : { after: await this.store.lastPosition() };
    for await (const recorded of readFeed(this.store, { ...start, follow: true, signal })) {
      const event = resourceEvent(recorded);
      if (event && passes(event, request)) yield event;
    }
  }
}

function message({ at, data, ...event }: ResourceEvent): unknown {
  return { created_at: toTimestamp(at), data: Buffer.from(data), ...event };
}
