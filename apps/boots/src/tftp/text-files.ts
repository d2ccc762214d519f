import { readFile } from 'node:fs/promises';
import { toNetascii } from '@tinkerbell/tftp';
import type { StoredFile } from '../boot-programs';
import { chunkBytes, type Content } from '../files/shared-files';
import type { Chunk } from '../udp/piece';

/** Bytes of a file that is sent as netascii: its converted copy is kept in memory while it is being sent. */
export const largestText = 4 << 20;

interface Text {
  readonly chunks: Promise<readonly Chunk[]>;
  users: number;
}

/** Files converted for netascii, once for all who are sent them at the same time. */
export class TextFiles {
  readonly #texts = new Map<string, Text>();

  async acquire(file: StoredFile): Promise<Content> {
    const key = `${file.path}\0${file.size}\0${file.modifiedMs}`;
    const text = this.#texts.get(key) ?? { chunks: converted(file.path), users: 0 };
    this.#texts.set(key, text);
    text.users++;
    const release = () => {
      if (--text.users === 0) this.#texts.delete(key);
    };
    try {
      return contentOf(await text.chunks, release);
    } catch (error) {
      release();
      throw error;
    }
  }
}

/** A text that was made for this transfer. */
export function textContent(text: string): Content {
  return contentOf(chunksOf(Buffer.from(text)), () => undefined);
}

async function converted(path: string): Promise<readonly Chunk[]> {
  return chunksOf(toNetascii(await readFile(path)));
}

function chunksOf(text: Uint8Array): readonly Chunk[] {
  return Array.from({ length: Math.ceil(text.length / chunkBytes) }, (_, i) => {
    const part = text.subarray(i * chunkBytes, (i + 1) * chunkBytes);
    const bytes = Buffer.allocUnsafeSlow(part.length);
    bytes.set(part);
    return { bytes };
  });
}

function contentOf(chunks: readonly Chunk[], release: () => void): Content {
  return {
    size: chunks.reduce((sum, { bytes }) => sum + bytes.length, 0),
    peek: (index) => chunks[index],
    read: (index) =>
      chunks[index] ? Promise.resolve(chunks[index]) : Promise.reject(new Error(`a text has no chunk ${index}`)),
    readAhead: () => undefined,
    release,
  };
}
