import { Bus } from './bus';

export interface Published {
  readonly subject: string;
  readonly body: string;
  readonly id: string;
}

/** A bus in memory for specs: stores what is published once per id, answers requests by a function, and can go away. */
export class FakeBus extends Bus {
  connected = true;
  readonly stored: Published[] = [];
  readonly tries: Published[] = [];
  /** Runs before a message is stored; throwing loses the message, returning 'lose-ack' stores it but loses the answer. */
  onPublish: (message: Published) => 'lose-ack' | void = () => {};
  answer: (subject: string, body: unknown) => unknown = () => ({ err: { code: 'NO_ANSWER', message: 'none set' } });
  private readonly wakes = new Set<() => void>();
  private readonly watchers = new Set<() => void>();

  async publish(subject: string, content: object, id: string): Promise<void> {
    const message = { subject, body: JSON.stringify(content), id };
    this.tries.push(message);
    if (!this.connected) throw new Error('the bus is away');
    queueMicrotask(() => this.watchers.forEach((look) => look()));
    const fate = this.onPublish(message);
    if (!this.stored.some((other) => other.id === id)) this.stored.push(message);
    if (fate === 'lose-ack') throw new Error('timeout');
  }

  async request(subject: string, body: object): Promise<unknown> {
    if (!this.connected) throw new Error('the bus is away');
    const reply: unknown = JSON.parse(JSON.stringify(await this.answer(subject, JSON.parse(JSON.stringify(body)))));
    queueMicrotask(() => this.watchers.forEach((look) => look()));
    return reply;
  }

  onWake(_subject: string, wake: () => void): void {
    this.wakes.add(wake);
  }

  wake(): void {
    this.wakes.forEach((wake) => wake());
  }

  /** Resolves as soon as the condition holds; looked at whenever something happened on the bus. */
  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return;
        this.watchers.delete(look);
        resolve();
      };
      this.watchers.add(look);
      look();
    });
  }

  async close(): Promise<void> {}
}
