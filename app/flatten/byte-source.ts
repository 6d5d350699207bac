import { open, type FileHandle } from 'node:fs/promises';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AppError } from '../errors/app-error.ts';
import { describeCause } from '../lib/describe-cause.ts';

/** Bytes in their order. */
export interface ByteSource {
  /** Writes the next bytes to the beginning of `target`, which is not empty; 0 at the end. */
  read(target: Buffer): Promise<number>;
  close(): Promise<void>;
}

const CHUNK_BYTES = 256 << 10;

/**
 * Opens a file, or standard input for `-`; gzip is unpacked. A plain file is read straight into the targets.
 *
 * @param onBytes told the bytes that were read, as they are
 * @throws AppError DATA_FILE_UNREADABLE, as do the methods
 */
export async function openByteSource(path: string, onBytes: (count: number) => void): Promise<ByteSource> {
  const attempt = async <T>(action: Promise<T>): Promise<T> =>
    action.catch((error: unknown) => {
      const name = path === '-' ? 'standard input' : path;
      throw new AppError('DATA_FILE_UNREADABLE', `${name} cannot be read: ${describeCause(error)}`, { cause: error });
    });
  const file = path === '-' ? undefined : await attempt(open(path));
  const source =
    file !== undefined && !(await attempt(isGzip(file))) ? fromFile(file, onBytes) : await attempt(fromStream(file, onBytes));
  return { read: (target) => attempt(source.read(target)), close: () => source.close() };
}

function fromFile(file: FileHandle, onBytes: (count: number) => void): ByteSource {
  return {
    read: async (target) => {
      const { bytesRead } = await file.read(target, 0, target.length);
      onBytes(bytesRead);
      return bytesRead;
    },
    close: () => file.close(),
  };
}

/** Tells gzip by its first bytes; what has no size (a pipe) is read as a stream in any case. */
async function isGzip(file: FileHandle): Promise<boolean> {
  if (!(await file.stat()).isFile()) return true;
  const { buffer } = await file.read(Buffer.alloc(2), 0, 2, 0);
  return isGzipStart(buffer);
}

function isGzipStart(start: Uint8Array): boolean {
  return start[0] === 0x1f && start[1] === 0x8b;
}

/** Bytes of a stream, unpacked when they are gzip. */
async function fromStream(file: FileHandle | undefined, onBytes: (count: number) => void): Promise<ByteSource> {
  const input = file?.createReadStream({ highWaterMark: CHUNK_BYTES, start: 0 }) ?? process.stdin;
  const packed = (input as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  const first = await packed.next();
  const counted = async function* (): AsyncGenerator<Buffer> {
    for (let each = first; each.done !== true; each = await packed.next()) {
      onBytes(each.value.length);
      yield each.value;
    }
  };
  const isPacked = first.done !== true && isGzipStart(first.value);
  // Errors of either stream end the iteration of the last one.
  const chunks: AsyncIterator<Buffer> = isPacked
    ? (pipeline(counted(), createGunzip({ chunkSize: CHUNK_BYTES }), () => undefined) as Readable)[Symbol.asyncIterator]()
    : counted();
  let rest: Buffer = Buffer.alloc(0);
  return {
    read: async (target) => {
      if (rest.length === 0) {
        const next = await chunks.next();
        if (next.done === true) return 0;
        rest = next.value;
      }
      const count = rest.copy(target);
      rest = rest.subarray(count);
      return count;
    },
    close: async () => {
      await chunks.return?.();
      input.destroy();
    },
  };
}
