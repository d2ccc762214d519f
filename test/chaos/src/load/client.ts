import { pause } from '@tinkerbell/messaging';
import type { Random } from '../random';

/** An answer that no other try will change. */
export class RefusedError extends Error {
  constructor(
    readonly status: number,
    text: string,
  ) {
    super(`${status}: ${text}`);
  }
}

/** The HTTP API of any of several tink-servers; asks another one until there is an answer. */
export class Client {
  constructor(
    private readonly urls: readonly [string, ...string[]],
    private readonly random: Random,
    private readonly stop: AbortSignal,
  ) {}

  /** `key`: what makes a repeated request the same one. Throws RefusedError; undefined when stopped before anybody answered. */
  async post<T>(path: string, body: object, key: string): Promise<T | undefined> {
    while (!this.stop.aborted) {
      try {
        const response = await fetch(`${this.random.pick(this.urls)}${path}`, {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'idempotency-key': key },
          body: JSON.stringify(body),
          signal: AbortSignal.timeout(15_000),
        });
        const text = await response.text();
        if (response.ok) return JSON.parse(text) as T;
        if (response.status < 500 && response.status !== 429) throw new RefusedError(response.status, text);
      } catch (error) {
        if (error instanceof RefusedError) throw error;
      }
      await pause(this.random.between(100, 500), this.stop);
    }
    return undefined;
  }
}
