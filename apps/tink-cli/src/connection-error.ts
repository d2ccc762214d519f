import { UnreachableError } from './api-errors';
import type { Settings } from './settings';

const untrusted = new Set([
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'CERT_SIGNATURE_FAILURE',
]);

/** What went wrong between us and the server, in words, with what to do about it. An interruption stays what it is. */
export function connectionError(error: unknown, settings: Settings): unknown {
  if (!(error instanceof Error) || error.name === 'AbortError' || error instanceof UnreachableError) return error;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  const { origin, hostname } = settings.server;
  const failed = (message: string, hint: string) => new UnreachableError(message, hint, { cause: error });
  if (untrusted.has(code)) {
    const hint = settings.ca
      ? `${settings.ca.file} is not the CA of this server.`
      : `Give the CA's certificate with --ca FILE or TINK_CA (the server hands it out at http://${hostname}:42114/cert; compare it before you trust it).`;
    return failed(`the certificate of ${origin} is not trusted (${code})`, hint);
  }
  if (code === 'CERT_HAS_EXPIRED')
    return failed(`the certificate of ${origin} has expired`, 'Check the clocks here and there.');
  if (code === 'CERT_NOT_YET_VALID')
    return failed(`the certificate of ${origin} is not valid yet`, 'Check the clocks here and there.');
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return failed(
      `the certificate of ${origin} is not for ${hostname}`,
      `Use a name or address that the certificate lists.`,
    );
  }
  if (code === 'EPROTO' || code === 'ERR_SSL_WRONG_VERSION_NUMBER') {
    return failed(`${origin} does not speak TLS`, `Is it http://${settings.server.host}?`);
  }
  if (code.startsWith('HPE_')) return failed(`${origin} does not speak HTTP`, 'Is this the address of tink-server?');
  const hint = `${origin} comes from ${settings.source === 'default' ? 'no setting: it is the default' : settings.source}. Start the provisioner with "tink up", or name its server with --server URL or TINK_SERVER.`;
  if (code === 'ECONNREFUSED') return failed(`nothing listens at ${origin}`, hint);
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') return failed(`the name ${hostname} is unknown`, hint);
  if (code === 'ETIMEDOUT') return failed(`${origin} did not answer in time`, hint);
  if (isBroken(error)) return failed(`${origin} broke off the connection`, hint);
  return failed(`cannot reach ${origin}: ${error.message}`, hint);
}

/** What went wrong after the answer had begun. */
export function answerError(error: unknown, settings: Settings): unknown {
  if (!isBroken(error)) return connectionError(error, settings);
  const message = `${settings.server.origin} broke off its answer`;
  return new UnreachableError(message, 'What came of it is not all of it: ask again.', { cause: error });
}

export function isBroken(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return code === 'ECONNRESET' || code === 'EPIPE';
}
