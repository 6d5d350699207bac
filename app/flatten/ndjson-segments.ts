import { AppError } from '../errors/app-error.ts';
import { openByteSource } from './byte-source.ts';

/** Whole lines of a file, one behind the other. */
export interface Segment {
  /** Recycled: given back to the pool by whoever is done with it. */
  readonly buffer: ArrayBuffer;
  readonly sizeBytes: number;
}

/** Bytes of a segment, unless a line is longer. One segment becomes at least one row group, so it must not be small. */
const SEGMENT_BYTES = 8 << 20;
/** No string of JavaScript is longer. */
const MAX_LINE_BYTES = 500 << 20;
const NEWLINE = 0x0a;

/** Buffers of the usual size that nobody needs at the moment. */
export class BufferPool {
  readonly #free: ArrayBuffer[] = [];

  take(): ArrayBuffer {
    return this.#free.pop() ?? new ArrayBuffer(SEGMENT_BYTES);
  }

  give(buffer: ArrayBuffer): void {
    if (buffer.byteLength === SEGMENT_BYTES) this.#free.push(buffer);
  }
}

/**
 * Reads a file, or standard input for `-`, as segments that end at line ends; reads no further than the caller asks. Gzip is known by its first bytes.
 *
 * @param onBytes told the bytes of the file that were read, as they are
 * @throws AppError DATA_FILE_UNREADABLE when the file cannot be read or unpacked, or a line is too long for any program of JavaScript
 */
export async function* readSegments(path: string, pool: BufferPool, onBytes: (count: number) => void): AsyncGenerator<Segment> {
  const source = await openByteSource(path, onBytes);
  try {
    let buffer = pool.take();
    let filled = 0;
    for (let count = 1; count > 0; filled += count) {
      if (filled === buffer.byteLength) {
        const end = Buffer.from(buffer).lastIndexOf(NEWLINE) + 1;
        const kept = filled - end;
        const free = pool.take();
        const next = kept < free.byteLength ? free : enlarge(kept);
        Buffer.from(buffer).copy(Buffer.from(next), 0, end);
        // Who takes the segment may send the buffer to another thread: it is empty here afterwards.
        if (end > 0) yield { buffer, sizeBytes: end };
        buffer = next;
        filled = kept;
      }
      count = await source.read(Buffer.from(buffer, filled));
    }
    if (filled > 0) yield { buffer, sizeBytes: filled };
  } finally {
    await source.close();
  }
}

/** A buffer twice as large as the line that does not fit. */
function enlarge(sizeBytes: number): ArrayBuffer {
  if (2 * sizeBytes > MAX_LINE_BYTES) throw new AppError('DATA_FILE_UNREADABLE', `a line is longer than ${sizeBytes >> 20} MiB`);
  return new ArrayBuffer(2 * sizeBytes);
}
