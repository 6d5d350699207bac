import { randomUUID } from 'node:crypto';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors/app-error.ts';
import type { SpooledNotification } from '../delivery/spooled-notification.ts';
import type { Sealer } from '../lib/sealer.ts';

/** Takes bodies that are too large for the queue: sealed, durable when `write` resolves. */
export interface Spool {
  /** @throws AppError QUEUE_UNAVAILABLE when the disk takes no more */
  write(chunks: AsyncIterable<Uint8Array>): Promise<SpooledNotification>;
}

/**
 * Spool in a folder of this machine. A file is a row of sealed pieces, each after its length (4 bytes, big endian), and appears under its
 * name only when it is whole.
 */
export function makeSpool(folder: string, sealer: Sealer | undefined): Spool {
  return {
    async write(chunks) {
      const file = `${randomUUID()}.sealed`;
      const unfinished = join(folder, `.${file}`);
      try {
        await mkdir(folder, { recursive: true, mode: 0o700 });
        const handle = await open(unfinished, 'wx', 0o600);
        let sizeBytes = 0;
        try {
          for await (const chunk of chunks) {
            sizeBytes += chunk.byteLength;
            const piece = sealer === undefined ? chunk : sealer.seal(chunk);
            const length = Buffer.alloc(4);
            length.writeUInt32BE(piece.byteLength);
            await handle.writev([length, piece]);
          }
          await handle.sync();
        } finally {
          await handle.close();
        }
        await rename(unfinished, join(folder, file));
        const directory = await open(folder, 'r');
        await directory.sync().finally(() => directory.close());
        return { file, sizeBytes };
      } catch (cause) {
        await rm(unfinished, { force: true }).catch(() => undefined); // the sender repeats it
        throw new AppError('QUEUE_UNAVAILABLE', 'the spool folder does not take the notification', { cause });
      }
    },
  };
}
