import type { OptionCodec } from '@tinkerbell/bytes';

/** Code → bytes, in the order of the packet. Bytes of an option that came in several parts are joined (RFC 3396). */
export type Options = ReadonlyMap<number, Uint8Array>;

/** The option's value, undefined when it is absent. Throws MalformedOptionError. */
export function readOption<T>(options: Options, codec: OptionCodec<T>): T | undefined {
  const raw = options.get(codec.code);
  return raw === undefined ? undefined : codec.decode(raw);
}

/** An entry for a Map of options. */
export function option<T>(codec: OptionCodec<T>, value: T): readonly [number, Uint8Array] {
  return [codec.code, codec.encode(value)];
}

export function setOption<T>(options: Map<number, Uint8Array>, codec: OptionCodec<T>, value: T): void {
  options.set(codec.code, codec.encode(value));
}
