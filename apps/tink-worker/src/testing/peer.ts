import { NatsBus, subjects, type BusOptions, type LoggedLine } from '@tinkerbell/messaging';
import type { FakeServer } from './fake-server';

/** A minimal tink-server on a real bus: takes reports from TINK_IN and answers the RPCs out of a FakeServer. */
export class Peer {
  private constructor(
    private readonly bus: NatsBus,
    private readonly stopping: AbortController,
    private readonly consuming: Promise<void>,
  ) {}

  static async start(options: Omit<BusOptions, 'name'>, server: FakeServer, heard: () => void): Promise<Peer> {
    const bus = await NatsBus.connect({ ...options, name: 'peer' });
    const stopping = new AbortController();
    for (const call of ['next', 'state', 'data-get', 'data-put', 'permit', 'secrets'] as const) {
      bus.serve(subjects.anyRpc(call), async (request, subject) => server.answer(subject, request) as object);
    }
    const consuming = bus.consumeReports(
      async ({ subject, id, bytes, workerId }) => {
        server.take({ subject, id, body: new TextDecoder().decode(bytes) });
        bus.wake(workerId);
        heard();
      },
      { signal: stopping.signal },
    );
    return new Peer(bus, stopping, consuming);
  }

  wake(workerId: string): void {
    this.bus.wake(workerId);
  }

  async lines(): Promise<readonly LoggedLine[]> {
    const lines: LoggedLine[] = [];
    for await (const line of this.bus.logs({ subject: subjects.allLogs })) lines.push(line);
    return lines;
  }

  /** Lines as they come, until one holds the text. */
  async lineWith(text: string): Promise<LoggedLine> {
    const enough = new AbortController();
    try {
      for await (const line of this.bus.logs({ subject: subjects.allLogs, follow: true, signal: enough.signal })) {
        if (line.line.includes(text)) return line;
      }
    } finally {
      enough.abort();
    }
    throw new Error(`the log ended without ${JSON.stringify(text)}`);
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.consuming.catch(() => undefined);
    await this.bus.close();
  }
}

/** Something to wait for that others bring about. */
export class Bell {
  private readonly waiting = new Set<() => void>();

  ring = (): void => {
    [...this.waiting].forEach((look) => look());
  };

  until(condition: () => boolean): Promise<void> {
    return new Promise((resolve) => {
      const look = () => {
        if (!condition()) return;
        this.waiting.delete(look);
        resolve();
      };
      this.waiting.add(look);
      look();
    });
  }
}
