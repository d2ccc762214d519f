/** Arguments of one call. */
const atOnce = 1024;

/** One text in ISO 8859-1 for each row, in one stretch of bytes. */
export class PackedTexts {
  #from: Uint32Array;
  #lengths: Uint32Array;
  #bytes = new Uint8Array(1024);
  #end = 0;
  /** Bytes of texts that are no more. */
  #lost = 0;

  constructor(rows: number) {
    this.#from = new Uint32Array(rows);
    this.#lengths = new Uint32Array(rows);
  }

  grow(rows: number): void {
    const [from, lengths] = [this.#from, this.#lengths];
    this.#from = new Uint32Array(rows);
    this.#lengths = new Uint32Array(rows);
    this.#from.set(from);
    this.#lengths.set(lengths);
  }

  get(row: number): string {
    const from = this.#from[row] ?? 0;
    const to = from + (this.#lengths[row] ?? 0);
    if (to - from > atOnce) return this.#inPieces(from, to);
    return to === from ? '' : String.fromCharCode.apply(undefined, this.#bytes.subarray(from, to) as never);
  }

  #inPieces(from: number, to: number): string {
    let text = '';
    for (let at = from; at < to; at++) text += String.fromCharCode(this.#bytes[at] ?? 0);
    return text;
  }

  /** False: it has other characters; then nothing has changed. */
  put(row: number, text: string): boolean {
    for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0xff) return false;
    const before = this.#lengths[row] ?? 0;
    if (text.length > before) {
      this.#lost += before;
      this.#lengths[row] = 0;
      this.#makeRoom(text.length);
      this.#from[row] = this.#end;
      this.#end += text.length;
    } else this.#lost += before - text.length;
    const from = this.#from[row] ?? 0;
    for (let i = 0; i < text.length; i++) this.#bytes[from + i] = text.charCodeAt(i);
    this.#lengths[row] = text.length;
    return true;
  }

  #makeRoom(length: number): void {
    if (this.#end + length <= this.#bytes.length) return;
    const live = this.#end - this.#lost + length;
    const old = this.#bytes;
    let size = old.length;
    while (size < live * 1.5) size *= 2;
    this.#bytes = new Uint8Array(size);
    this.#end = this.#lost = 0;
    for (let row = 0; row < this.#from.length; row++) {
      const [from, own] = [this.#from[row] ?? 0, this.#lengths[row] ?? 0];
      this.#bytes.set(old.subarray(from, from + own), this.#end);
      this.#from[row] = this.#end;
      this.#end += own;
    }
  }
}
