import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AppError } from '../errors/app-error.ts';
import { realpathOfNearest, wrapFileError } from './local-files.ts';
import { openLocalObjectStore } from './local-object-store.ts';
import type { ObjectStore } from './object-store.ts';
import { makeS3ObjectStore } from './s3-object-store.ts';
import type { TableLocation } from './table-location.ts';

/** Kinds of storage by the scheme of their addresses; the later ones are known so that their refusal can say so. */
const LATER_SCHEMES = ['gs', 'abfss'];

export interface OpenObjectStoreOptions {
  /** Absolute path. `file://` tables must lie below it; it need not exist yet. */
  readonly localRoot: string;
}

/**
 * The store rooted at `location.tablePath`. It makes no request: a missing bucket or right shows at the first use.
 *
 * @throws AppError STORAGE_ADDRESS_INVALID, STORAGE_SCHEME_UNSUPPORTED, STORAGE_PATH_NOT_ALLOWED
 */
export async function openObjectStore(location: TableLocation, { localRoot }: OpenObjectStoreOptions): Promise<ObjectStore> {
  const { scheme, authority, path } = parseTablePath(location.tablePath);
  if (scheme === 'file') return openBelow(localRoot, authority, path);
  if (scheme === 's3') {
    checkS3Location(location, authority);
    return makeS3ObjectStore(authority, path.slice(1), location);
  }
  const reason = LATER_SCHEMES.includes(scheme) ? 'not in this build yet' : 'unknown';
  throw new AppError(
    'STORAGE_SCHEME_UNSUPPORTED',
    `tablePath has the scheme "${scheme}", which is ${reason}; expected file or s3`,
  );
}

/** Parts of a table path; `path` is empty or begins with a slash and does not end with one. The message never repeats the address: it may hold a key. */
function parseTablePath(tablePath: string): { scheme: string; authority: string; path: string } {
  const [, scheme, authority, rest] = /^([a-z][a-z0-9+.-]*):\/\/([^/]*)(\/.*)?$/is.exec(tablePath) ?? [];
  if (scheme === undefined || authority === undefined)
    throw invalid('tablePath is no address; expected file:///… or s3://bucket/…');
  const path = (rest ?? '').replace(/\/+$/, '');
  // Engines read these differently (Spark takes %20 as it stands, delta-rs as a space): two readers would see two tables.
  // eslint-disable-next-line no-control-regex
  if (/[%?#\\\u0000-\u001f\u007f]/.test(path)) throw invalid('tablePath holds one of % ? # \\ or a control character');
  if (path.split('/').some((part, index) => (index > 0 && part === '') || part === '.' || part === '..')) {
    throw invalid('tablePath holds an empty, "." or ".." part');
  }
  return { scheme: scheme.toLowerCase(), authority, path };
}

async function openBelow(localRoot: string, authority: string, path: string): Promise<ObjectStore> {
  if (authority !== '' && authority !== 'localhost') throw invalid('a file:// tablePath names a host; expected file:///…');
  if (path === '') throw invalid('tablePath names no directory');
  const directory = fileURLToPath(new URL(`file://${path}`));
  try {
    const real = await realpathOfNearest(directory);
    const realLocalRoot = await realpathOfNearest(localRoot);
    if (!real.startsWith(realLocalRoot.endsWith(sep) ? realLocalRoot : realLocalRoot + sep)) {
      throw new AppError('STORAGE_PATH_NOT_ALLOWED', `file://${path} is not below the directory for local tables, ${localRoot}`);
    }
  } catch (error) {
    throw wrapFileError(error, `open file://${path}`);
  }
  return openLocalObjectStore(directory, `file://${path}`);
}

function checkS3Location({ s3Endpoint, accessKeyId, secretAccessKey }: TableLocation, bucket: string): void {
  if (!/^[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]$/.test(bucket))
    throw invalid('tablePath names no valid bucket; expected s3://bucket/…');
  if ((accessKeyId === undefined) !== (secretAccessKey === undefined))
    throw invalid('an access key needs its secret, and a secret its key');
  if (s3Endpoint === undefined) return;
  const url = URL.canParse(s3Endpoint) ? new URL(s3Endpoint) : undefined;
  const plain = url !== undefined && url.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (!plain || !['http:', 'https:'].includes(url.protocol))
    throw invalid('s3Endpoint must be http(s)://host[:port] and nothing else');
}

function invalid(message: string): AppError {
  return new AppError('STORAGE_ADDRESS_INVALID', message);
}
