// The npm package tftp2 0.0.1 has no types: what of its client we use.
declare module 'tftp2' {
  export interface TftpClient {
    /** Resolves when `done` was called; the last block is the one of fewer than 512 bytes. */
    read(file: string, push: (block: Buffer) => Promise<void>, done: () => void): Promise<void>;
    close(): void;
  }
  export function Client(host: string, port: number): TftpClient;
}
