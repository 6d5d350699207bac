import { randomBytes } from 'node:crypto';
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../errors/app-error.ts';
import { makeSealer, type Sealer } from '../lib/sealer.ts';

/**
 * The sealer of this installation: with the configured keys, else with one that is made once and kept in `dataDir/seal.key` (mode 0600).
 *
 * @param configured keys in base64, separated by commas; the first one seals
 * @throws AppError CONFIG_INVALID when the kept key cannot be read or is damaged
 */
export async function openSealer(configured: string | undefined, dataDir: string): Promise<Sealer> {
  const text = configured ?? (await readOrMakeKey(join(dataDir, 'seal.key')));
  return makeSealer(...text.split(',').map((key) => Buffer.from(key.trim(), 'base64')));
}

async function readOrMakeKey(file: string): Promise<string> {
  await mkdir(join(file, '..'), { recursive: true });
  const fresh = `${file}.${randomBytes(6).toString('hex')}`;
  try {
    await writeFile(fresh, `${randomBytes(32).toString('base64')}\n`, { mode: 0o600 });
    await link(fresh, file).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 'EEXIST') throw error; // another process, or an earlier start, was first
    });
    const key = (await readFile(file, 'utf8')).trim();
    if (Buffer.from(key, 'base64').byteLength !== 32)
      throw new AppError('CONFIG_INVALID', `${file} does not hold a key of 32 bytes in base64`);
    return key;
  } catch (cause) {
    if (cause instanceof AppError) throw cause;
    throw new AppError(
      'CONFIG_INVALID',
      `the key file ${file} can be neither read nor made; set SEAL_KEY or make DATA_DIR writable`,
      { cause },
    );
  } finally {
    await rm(fresh, { force: true });
  }
}
