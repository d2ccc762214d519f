/** One option's value ↔ its bytes, without code and length. `decode` throws MalformedOptionError. */
export interface OptionCodec<T> {
  readonly code: number;
  readonly name: string;
  decode(raw: Uint8Array): T;
  encode(value: T): Uint8Array;
}
