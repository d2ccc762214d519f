import type { NestExpressApplication } from '@nestjs/platform-express';
import { judge, type AccessPolicy } from './access';

interface Request {
  readonly path: string;
  header(name: string): string | undefined;
}
interface Response {
  setHeader(name: string, value: string): void;
  status(code: number): Response;
  type(type: string): Response;
  send(body: string): void;
}

const headers = {
  'content-security-policy':
    "default-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
};

/** What stands before the controllers: protective headers, health, who may in, and the files of the page. */
export function addFront(app: NestExpressApplication, policy: AccessPolicy, webRoot: string | undefined): void {
  app.disable('x-powered-by');
  app.use((request: Request, response: Response, next: () => void) => {
    Object.entries(headers).forEach(([name, value]) => response.setHeader(name, value));
    if (request.path === '/healthz') return response.type('json').send('{"ok":true}');
    const verdict = judge(policy, request.header('host') ?? '', request.header('authorization') ?? '');
    if (verdict === 'ok') return next();
    if (verdict === 'wrong-host')
      return response.status(403).type('txt').send('403 this address answers to localhost only');
    response.setHeader('www-authenticate', 'Basic realm="Tinkerbell", charset="UTF-8"');
    return response.status(401).type('txt').send('401 user name and password, please');
  });
  if (webRoot !== undefined) {
    app.useStaticAssets(webRoot, {
      setHeaders: (response: Response, path: string) =>
        response.setHeader(
          'cache-control',
          path.includes('/assets/') ? 'public, max-age=31536000, immutable' : 'no-cache',
        ),
    });
    return;
  }
  app.use((request: Request, response: Response, next: () => void) =>
    request.path === '/'
      ? response.status(503).type('txt').send('503 the page is not built: node infra/build/build.mjs apps/dashboard')
      : next(),
  );
}
