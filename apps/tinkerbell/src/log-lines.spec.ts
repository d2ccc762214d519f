import { describe, expect, it } from 'vitest';
import { natsLineMatters, registryLineMatters } from './log-lines';

describe('lines of the child processes', () => {
  it.each([
    ['[INF] Server is ready', false],
    ['[WRN] Maximum payloads over 8.00 MB are generally discouraged and could lead to poor performance', false],
    ['[WRN] Readloop processing time: 2.1s', true],
    ['[ERR] JetStream failed to store a msg: no space left on device', true],
  ])('nats-server: %s: %s', (line, shown) => expect(natsLineMatters(line)).toBe(shown));

  it.each([
    ['127.0.0.1 - - [23/Nov/2026:21:04:27 +0000] "GET /v2/ HTTP/1.1" 200 2 "" ""', false],
    ['time="t" level=error msg="response completed with error" http.response.status=404 vars.name=reboot', false],
    ['time="t" level=error msg="response completed with error" http.response.status=500 vars.name=reboot', true],
    ['time="t" level=fatal msg="open /etc/registry: permission denied"', true],
    ['panic: runtime error: invalid memory address', true],
  ])('registry: %s: %s', (line, shown) => expect(registryLineMatters(line)).toBe(shown));
});
