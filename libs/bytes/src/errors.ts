/** Bytes that are no DHCP message. The receiver drops them, counts them, and goes on. */
export class MalformedPacketError extends Error {
  override get name(): string {
    return this.constructor.name;
  }

  /** `offset`: where in the packet, from 0; -1 when the place is unknown. */
  constructor(
    readonly reason: string,
    readonly offset = -1,
  ) {
    super(offset < 0 ? reason : `${reason} (at byte ${offset})`);
  }
}

export class MalformedOptionError extends MalformedPacketError {
  readonly option: number;

  constructor({ option, reason }: { readonly option: number; readonly reason: string }) {
    super(`option ${option}: ${reason}`);
    this.option = option;
  }
}
