import { once } from 'node:events';
import { connect as connectPlain } from 'node:net';
import { connect } from 'node:tls';

/** For tests: the fingerprint (SHA-256) of the certificate that a nats-server on this host shows. Rejects one that `ca` did not sign. */
export async function certificateShown(port: number, ca: string | Buffer): Promise<string> {
  const plain = connectPlain({ host: '127.0.0.1', port });
  // TLS begins after its first line.
  await once(plain, 'data');
  const socket = connect({ socket: plain, host: '127.0.0.1', ca });
  await once(socket, 'secureConnect');
  const { fingerprint256 } = socket.getPeerCertificate();
  socket.destroy();
  return fingerprint256;
}
