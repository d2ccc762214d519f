import { expectLength, type OptionCodec } from '@tinkerbell/bytes';

export interface ClientMachineId {
  /** 0: the rest is a GUID. */
  readonly type: number;
  /** 16 bytes as sent; the first three groups of a GUID are little-endian in most firmware. */
  readonly guid: Uint8Array;
}

/** RFC 4578 §2.3. A virtual machine without a UUID sends 17 zero bytes. */
export const clientMachineId: OptionCodec<ClientMachineId> = {
  code: 97,
  name: 'client-machine-id',
  decode(raw) {
    expectLength(97, raw, 17);
    return { type: raw[0] ?? 0, guid: raw.slice(1) };
  },
  encode: ({ type, guid }) => Uint8Array.of(type, ...guid),
};
