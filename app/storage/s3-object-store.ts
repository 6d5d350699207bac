import { setTimeout as sleep } from 'node:timers/promises';
import {
  DeleteObjectCommand,
  GetObjectCommand,
  HeadObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
} from '@aws-sdk/client-s3';
import { AppError } from '../errors/app-error.ts';
import { checkObjectPath, compareBytes } from './object-path.ts';
import type { ListedObject, ObjectStore } from './object-store.ts';
import { isClockSkew, s3Status, wrapS3Error, type S3Operation } from './s3-errors.ts';
import type { TableLocation } from './table-location.ts';

/** Requests that may be repeated without harm are, by the SDK, up to this many attempts in all. */
const MAX_ATTEMPTS = 3;
const MAX_SOCKETS = 32;
/** To open a connection. */
const CONNECTION_TIMEOUT_MS = 5_000;
/** Silence on an open connection, in the middle of an answer too. */
const SOCKET_TIMEOUT_MS = 30_000;
/** How often a conditional PUT is sent again after the store said that it did not carry it out. */
const MAX_REFUSED_PUTS = 5;
const REFUSED_PUT_PAUSE_MS = 50;
/** From this size on a conditional PUT asks first; asking costs a round trip and a fresh connection. */
const ASK_BEFORE_BYTES = 256 * 1024;
const SILENT = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

/** Limits that a test may shorten. */
export interface S3Limits {
  readonly connectionTimeoutMs?: number;
  readonly socketTimeoutMs?: number;
}

/**
 * Objects of S3, MinIO and other stores with conditional writes, below `s3://bucket/prefix`. Keys come from `location` or else from the
 * default chain of AWS (environment, shared profile, ECS, EC2, IRSA).
 *
 * @param prefix without a slash at either end; may be empty
 */
export function makeS3ObjectStore(bucket: string, prefix: string, location: TableLocation, limits: S3Limits = {}): ObjectStore {
  const address = prefix === '' ? `s3://${bucket}` : `s3://${bucket}/${prefix}`;
  const root = prefix === '' ? '' : `${prefix}/`;
  const config: S3ClientConfig = {
    ...(location.s3Endpoint === undefined
      ? {}
      : { endpoint: location.s3Endpoint, forcePathStyle: true, requestChecksumCalculation: 'WHEN_REQUIRED' }),
    ...readRegion(location),
    ...(location.accessKeyId !== undefined && location.secretAccessKey !== undefined
      ? { credentials: { accessKeyId: location.accessKeyId, secretAccessKey: location.secretAccessKey } }
      : {}),
    maxAttempts: MAX_ATTEMPTS,
    expectContinueHeader: false,
    logger: SILENT,
    requestHandler: {
      connectionTimeout: limits.connectionTimeoutMs ?? CONNECTION_TIMEOUT_MS,
      socketTimeout: limits.socketTimeoutMs ?? SOCKET_TIMEOUT_MS,
      httpAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
      httpsAgent: { keepAlive: true, maxSockets: MAX_SOCKETS },
    },
  };
  const client = new S3Client(config);
  // An own client for the one request whose answer must belong to one attempt. It shares credentials and connections. It asks first
  // (Expect: 100-continue) whether a big body is wanted: a store that refuses early would cut the upload, and the answer would be lost.
  const onceClient = new S3Client({
    ...config,
    expectContinueHeader: ASK_BEFORE_BYTES,
    credentials: client.config.credentials,
    requestHandler: client.config.requestHandler,
    maxAttempts: 1,
  });

  const locate = (path: string): { Bucket: string; Key: string } => {
    checkObjectPath(path);
    return { Bucket: bucket, Key: root + path };
  };

  async function guard<T>(operation: S3Operation, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      throw wrapS3Error(error, operation, address);
    }
  }

  async function putOnce(path: string, body: Uint8Array): Promise<'created' | 'exists'> {
    for (let refused = 1; ; refused += 1) {
      try {
        await onceClient.send(new PutObjectCommand({ ...locate(path), Body: body, IfNoneMatch: '*' }));
        return 'created';
      } catch (error) {
        const status = s3Status(error);
        // 412 is the answer of the contract; MinIO gave 304 in older releases.
        if (status === 412 || status === 304) return 'exists';
        if (status === 501)
          throw new AppError('STORAGE_NOT_ATOMIC', `${address}: the store knows no conditional writes`, { cause: error });
        // Both answers say that nothing was written, so the same PUT may go again: 409 is a race between two of them, and after
        // a refusal for its time the SDK has set its clock by the store's.
        if (!(status === 409 || isClockSkew(error)) || refused >= MAX_REFUSED_PUTS) throw error;
        await sleep(REFUSED_PUT_PAUSE_MS * refused);
      }
    }
  }

  return {
    address,
    read: (path) =>
      guard('GetObject', async () => {
        const answer = await client.send(new GetObjectCommand(locate(path))).catch(undefinedWhenNoSuchKey);
        return answer?.Body?.transformToByteArray();
      }),
    head: (path) =>
      guard('HeadObject', async () => {
        const answer = await client.send(new HeadObjectCommand(locate(path))).catch(undefinedWhenNoSuchKey);
        return answer && { path, sizeBytes: answer.ContentLength ?? 0, modifiedAtMs: answer.LastModified?.getTime() ?? 0 };
      }),
    async *list(objectPrefix, startAfter) {
      let last = '';
      let token: string | undefined;
      do {
        const page = await guard('ListObjectsV2', () =>
          client.send(
            new ListObjectsV2Command({
              Bucket: bucket,
              Prefix: root + objectPrefix,
              ...(startAfter === undefined || startAfter === '' ? {} : { StartAfter: root + startAfter }),
              ContinuationToken: token,
              // Without it a key with a control character makes the XML of the answer unreadable.
              EncodingType: 'url',
            }),
          ),
        );
        for (const { Key = '', Size = 0, LastModified } of page.Contents ?? []) {
          const key = page.EncodingType === 'url' ? decodeURIComponent(Key.replaceAll('+', ' ')) : Key;
          const path = key.slice(root.length);
          if (compareBytes(path, last) < 0) {
            throw new AppError(
              'STORAGE_REFUSED',
              `${address}: the store does not list in byte order (S3 directory buckets do not)`,
            );
          }
          last = path;
          // Consoles make an empty object for a "folder"; it is no object of a table.
          if (path !== '' && !path.endsWith('/')) yield makeListed(path, Size, LastModified);
        }
        token = page.IsTruncated === true ? page.NextContinuationToken : undefined;
      } while (token !== undefined);
    },
    put: (path, body) =>
      guard('PutObject', async () => {
        await client.send(new PutObjectCommand({ ...locate(path), Body: body }));
      }),
    putIfAbsent: (path, body) => guard('PutObject', () => putOnce(path, body)),
    delete: (path) =>
      guard('DeleteObject', async () => {
        await client.send(new DeleteObjectCommand(locate(path)));
      }),
    close: async () => {
      client.destroy();
      onceClient.destroy();
    },
  };
}

/** Region of the location; for a private endpoint any will do; else the SDK asks the environment and the shared profile. */
function readRegion({ awsRegion, s3Endpoint }: TableLocation): { region?: string } {
  if (awsRegion !== undefined) return { region: awsRegion };
  return s3Endpoint === undefined ? {} : { region: 'us-east-1' };
}

function makeListed(path: string, sizeBytes: number, modified: Date | undefined): ListedObject {
  return { path, sizeBytes, modifiedAtMs: modified?.getTime() ?? 0 };
}

/** For `.catch`: a missing object is no error, a missing bucket is. HEAD cannot tell them apart: its answers have no body. */
function undefinedWhenNoSuchKey(error: unknown): undefined {
  const name = (error as { name?: unknown } | null)?.name;
  if (s3Status(error) !== 404 || name === 'NoSuchBucket') throw error;
}

function ignore(): void {
  // The SDK would write to the console.
}
