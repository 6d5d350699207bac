/** Bytes that grow at their end. `bytes` is replaced when it grows: never keep it over a call of `reserve`. Numbers are little-endian. */
export class ByteSink {
  bytes: Buffer;
  length = 0;

  constructor(capacity = 1024) {
    this.bytes = Buffer.from(new ArrayBuffer(capacity));
  }

  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    const needed = this.length + count;
    if (needed <= this.bytes.length) return;
    const grown = Buffer.from(new ArrayBuffer(Math.max(needed, this.bytes.length * 2)));
    this.bytes.copy(grown, 0, 0, this.length);
    this.bytes = grown;
  }

  /** Adds the lowest eight bits of `value`. */
  addByte(value: number): void {
    this.reserve(1);
    this.bytes[this.length++] = value;
  }

  addUint32(value: number): void {
    this.reserve(4);
    this.bytes[this.length++] = value;
    this.bytes[this.length++] = value >>> 8;
    this.bytes[this.length++] = value >>> 16;
    this.bytes[this.length++] = value >>> 24;
  }

  addBytes(added: Uint8Array): void {
    this.reserve(added.length);
    this.bytes.set(added, this.length);
    this.length += added.length;
  }

  /** Adds an unsigned number below 2^32 in seven bits a byte (LEB128). */
  addVarint(value: number): void {
    let rest = value;
    for (; rest > 0x7f; rest >>>= 7) this.addByte(rest | 0x80);
    this.addByte(rest);
  }

  /** What was added, as a view on the buffer: valid until the next change. */
  view(): Uint8Array {
    return this.bytes.subarray(0, this.length);
  }

  clear(): void {
    this.length = 0;
  }
}
