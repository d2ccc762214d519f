import { status, type ServerUnaryCall } from '@grpc/grpc-js';
import { GrpcStatusError } from '../grpc/grpc-error';
import { addressOfPeer } from './allowed-networks';

export type PeerCall = Pick<ServerUnaryCall<unknown, unknown>, 'getPeer'>;

/** Who may use the worker calls of the originals. They carry no proof of who calls: off unless configured, and then for some networks only. */
export class CompatGate {
  constructor(
    private readonly options: { readonly enabled: boolean; readonly allowed: (address: string) => boolean },
  ) {}

  /** Throws FAILED_PRECONDITION with the setting that would let this caller in. */
  admit(call: PeerCall): void {
    const refusal = this.refusal(addressOfPeer(call.getPeer()));
    if (refusal !== undefined) throw new GrpcStatusError(status.FAILED_PRECONDITION, refusal);
  }

  private refusal(address: string): string | undefined {
    if (!this.options.enabled) {
      return 'worker calls over gRPC carry no proof of identity and are off (TINK_COMPAT_WORKER_GRPC=on enables them); workers enrol over HTTPS and use NATS';
    }
    if (this.options.allowed(address)) return undefined;
    return `worker calls over gRPC are not allowed from ${address} (TINK_COMPAT_WORKER_NETWORKS)`;
  }
}
