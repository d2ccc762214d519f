import type { NatsConnection } from 'nats';

/** Of the client's inside: the version that we use is fixed, and a spec notices when it changes. */
interface Inside {
  readonly protocol?: { flushPending?: () => void };
}

/**
 * What is sent in one turn of the event loop is written at its end, together: one record of TLS and one system call. The client itself
 * writes after every callback that sent something, which is most of what a busy connection costs. Throws TypeError for a client that is
 * not built like ours.
 */
export function gatherWrites(connection: NatsConnection): void {
  const { protocol } = connection as unknown as Inside;
  const write = protocol?.flushPending?.bind(protocol);
  if (!protocol || !write) throw new TypeError('this client of NATS has no protocol.flushPending');
  let scheduled = false;
  protocol.flushPending = () => {
    if (scheduled) return;
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      write();
    });
  };
}
