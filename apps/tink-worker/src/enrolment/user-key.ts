import { createUser } from 'nkeys.js';

/** A key pair for a NATS user. The seed never leaves this machine. */
export function createUserKey(): { readonly publicKey: string; readonly seed: string } {
  const pair = createUser();
  return { publicKey: pair.getPublicKey(), seed: new TextDecoder().decode(pair.getSeed()) };
}
