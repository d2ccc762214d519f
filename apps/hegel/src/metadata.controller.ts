import { All, Controller, Req, Res } from '@nestjs/common';
import { answer, Site } from './answer';
import { RequestMetrics } from './metrics';

interface Request {
  readonly method: string;
  readonly path: string;
  readonly socket: { readonly remoteAddress?: string };
  header(name: string): string | undefined;
}
interface Response {
  status(code: number): Response;
  set(headers: Readonly<Record<string, string>>): Response;
  send(body: string): void;
}

/** Everything that is not a page about hegel itself. */
@Controller()
export class MetadataController {
  constructor(
    private readonly site: Site,
    private readonly metrics: RequestMetrics,
  ) {}

  @All('{*path}')
  metadata(@Req() request: Request, @Res() response: Response): void {
    const started = process.hrtime.bigint();
    const { status, type, body, route } = answer(
      {
        method: request.method,
        path: request.path,
        peer: request.socket.remoteAddress ?? '',
        forwardedFor: request.header('x-forwarded-for') ?? '',
      },
      this.site,
    );
    response
      .status(status)
      .set({ 'content-type': `${type}; charset=utf-8`, ...(status === 405 ? { allow: 'GET' } : {}) })
      .send(body);
    this.metrics.count(route, request.method, status, Number(process.hrtime.bigint() - started) / 1e9);
  }
}
