/** Bytes that are no TFTP packet. The receiver drops them. */
export class MalformedTftpError extends Error {
  override get name(): string {
    return 'MalformedTftpError';
  }

  constructor(readonly reason: string) {
    super(reason);
  }
}
