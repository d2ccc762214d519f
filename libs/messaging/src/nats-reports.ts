import type { Consumer, ConsumerConfig, JetStreamManager, NatsConnection } from 'nats';
import { ingressConsumer, streamNames } from './nats-names';

/** Somebody began to read the workers' reports after us. */
export class ReportsTakenOverError extends Error {}

const ackWaitMs = 30_000;

/**
 * How the reader of `epoch` opens its consumer of `TINK_IN`. A work queue has one consumer; every reader makes its own in place of the one
 * before, for two reasons: what a dead reader had taken and not acknowledged would come again only after its wait, behind later reports;
 * and a reader that was stopped and goes on must not share the queue with its successor.
 */
export function openReports(connection: NatsConnection, epoch: number): () => Promise<Consumer> {
  const name = `${ingressConsumer}-${epoch}`;
  let taken = false;
  return async () => {
    const manager = await connection.jetstreamManager({ checkAPI: false });
    if (!taken) {
      await takeOver(manager, name, epoch);
      taken = true;
    }
    try {
      return await connection.jetstream().consumers.get(streamNames.reports, name);
    } catch (error) {
      if (!isNotFound(error)) throw error;
      throw new ReportsTakenOverError(`consumer ${name} of ${streamNames.reports} is gone`, { cause: error });
    }
  };
}

async function takeOver(manager: JetStreamManager, name: string, epoch: number): Promise<void> {
  for (const other of await manager.consumers.list(streamNames.reports).next()) {
    const later = epochOf(other.name) > epoch;
    if (later) throw new ReportsTakenOverError(`consumer ${other.name} of ${streamNames.reports} is newer than ours`);
    try {
      await manager.consumers.delete(streamNames.reports, other.name);
    } catch (error) {
      if (!isNotFound(error)) throw error;
    }
  }
  await manager.consumers.add(streamNames.reports, await configOf(name));
}

/** Of `ingress-<epoch>`; -1 for the consumers of others. */
function epochOf(name: string): number {
  const prefix = `${ingressConsumer}-`;
  return name.startsWith(prefix) ? Number(name.slice(prefix.length)) : -1;
}

async function configOf(name: string): Promise<Partial<ConsumerConfig>> {
  const { AckPolicy, DeliverPolicy, nanos, ReplayPolicy } = await import('nats');
  return {
    durable_name: name,
    description: 'tink-server takes reports into the log',
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ackWaitMs),
    deliver_policy: DeliverPolicy.All,
    replay_policy: ReplayPolicy.Instant,
    max_ack_pending: 1000,
    max_deliver: -1,
  };
}

function isNotFound(error: unknown): boolean {
  return error instanceof Error && 'api_error' in error && (error.api_error as { code?: number }).code === 404;
}
