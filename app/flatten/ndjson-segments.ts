import { createReadStream } from 'node:fs';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AppError } from '../errors/app-error.ts';
import { describeCause } from '../lib/describe-cause.ts';

/** Whole lines of a file, one behind the other. */
export interface Segment {
  /** Recycled: given back to the pool by whoever is done with it. */
  readonly buffer: ArrayBuffer;
  readonly sizeBytes: number;
}

/** Bytes of a segment, unless a line is longer. One segment becomes at least one row group, so it must not be small. */
const SEGMENT_BYTES = 8 << 20;
const CHUNK_BYTES = 1 << 20;
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
  let buffer = pool.take();
  let filled = 0;
  for await (const chunk of readChunks(path, onBytes)) {
    for (let at = 0; at < chunk.length;) {
      if (filled === buffer.byteLength) {
        const end = Buffer.from(buffer).lastIndexOf(NEWLINE) + 1;
        if (end === 0) {
          buffer = enlarge(buffer);
        } else {
          const next = pool.take();
          const target = filled - end < next.byteLength ? next : enlarge(buffer);
          Buffer.from(buffer).copy(Buffer.from(target), 0, end);
          const kept = filled - end;
          // Who takes the segment may send the buffer to another thread: it is empty here afterwards.
          yield { buffer, sizeBytes: end };
          buffer = target;
          filled = kept;
        }
      }
      const copied = Math.min(chunk.length - at, buffer.byteLength - filled);
      chunk.copy(Buffer.from(buffer), filled, at, at + copied);
      filled += copied;
      at += copied;
    }
  }
  if (filled > 0) yield { buffer, sizeBytes: filled };
}

/** The same bytes in a buffer twice as large. */
function enlarge(buffer: ArrayBuffer): ArrayBuffer {
  if (2 * buffer.byteLength > MAX_LINE_BYTES)
    throw new AppError('DATA_FILE_UNREADABLE', `a line is longer than ${MAX_LINE_BYTES >> 20} MiB`);
  const larger = new ArrayBuffer(2 * buffer.byteLength);
  Buffer.from(buffer).copy(Buffer.from(larger));
  return larger;
}

async function* readChunks(path: string, onBytes: (count: number) => void): AsyncGenerator<Buffer> {
  const file = path === '-' ? process.stdin : createReadStream(path, { highWaterMark: CHUNK_BYTES });
  try {
    const chunks = file.iterator({ destroyOnReturn: true }) as AsyncIterator<Buffer, undefined>;
    const first = await chunks.next();
    if (first.done === true) return;
    const raw = countBytes(first.value, chunks, onBytes);
    yield* isGzip(first.value) ? unpack(raw) : raw;
  } catch (error) {
    if (error instanceof AppError) throw error;
    throw new AppError(
      'DATA_FILE_UNREADABLE',
      `${path === '-' ? 'standard input' : path} cannot be read: ${describeCause(error)}`,
      { cause: error },
    );
  } finally {
    file.destroy();
  }
}

async function* countBytes(
  first: Buffer,
  rest: AsyncIterator<Buffer, undefined>,
  onBytes: (count: number) => void,
): AsyncGenerator<Buffer> {
  for (let chunk: Buffer | undefined = first; chunk !== undefined; chunk = (await rest.next()).value) {
    onBytes(chunk.length);
    yield chunk;
  }
}

function unpack(packed: AsyncIterable<Buffer>): Readable {
  // Errors of either side end the iteration of the last stream, where they are caught.
  return pipeline(packed, createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined);
}

function isGzip(start: Buffer): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}
