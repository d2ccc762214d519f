/** A stretch of a file in memory, shared by everybody who is sent it. */
export interface Chunk {
  readonly bytes: Buffer;
  /** Where it is, once somebody had to know. */
  address?: number;
}

export interface Piece {
  readonly chunk: Chunk;
  /** Bytes in the chunk; `to` is the first that no longer belongs to it. */
  readonly from: number;
  readonly to: number;
}
