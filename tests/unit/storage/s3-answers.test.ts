import { createServer, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../../app/errors/app-error.ts';
import { makeS3ObjectStore } from '../../../app/storage/s3-object-store.ts';
import type { TableLocation } from '../../../app/storage/table-location.ts';

/** One answer of a store: status, error code of S3, headers, further elements of the error. */
interface Answer {
  readonly status: number;
  readonly code?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly xml?: string;
}

const KEYS = { accessKeyId: 'CANARYKEYID', secretAccessKey: 'CANARYSECRET' };
const AWS_VARIABLES = /^AWS_/;

let server: Server;
let endpoint: string;
let answers: Answer[];
let requests: IncomingMessage[];
let saved: NodeJS.ProcessEnv;

beforeEach(async () => {
  saved = { ...process.env };
  for (const name of Object.keys(process.env)) if (AWS_VARIABLES.test(name)) delete process.env[name];
  // Nothing of the machine's own configuration, and no wait for an instance role that is not there.
  Object.assign(process.env, {
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: '/nowhere',
    AWS_SHARED_CREDENTIALS_FILE: '/nowhere',
  });
  answers = [];
  requests = [];
  server = createServer((request, response) => {
    requests.push(request);
    request.resume().on('end', () => {
      if (request.url === '/credentials')
        return void response.end(
          JSON.stringify({ AccessKeyId: 'FROMECS', SecretAccessKey: 'x', Token: 't', Expiration: '2100-01-01T00:00:00Z' }),
        );
      const { status, code, headers = {}, xml = '' } = (answers.length > 1 ? answers.shift() : answers[0]) ?? { status: 200 };
      response.writeHead(status, { 'x-amz-request-id': '1', ...headers });
      response.end(
        code === undefined
          ? ''
          : `<?xml version="1.0"?><Error><Code>${code}</Code><Message>CANARYMESSAGE</Message>${xml}</Error>`,
      );
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
  for (const name of Object.keys(process.env)) if (AWS_VARIABLES.test(name)) delete process.env[name];
  Object.assign(process.env, saved);
});

/** The error of a conditional put, which is never tried twice behind our back. */
async function refusal(location: Partial<TableLocation> = KEYS): Promise<AppError> {
  const store = makeS3ObjectStore('bucket', 'table', { tablePath: 's3://bucket/table', s3Endpoint: endpoint, ...location });
  try {
    const outcome = await store.putIfAbsent('1.json', new Uint8Array([1]));
    throw new Error(`an error was expected, not ${outcome}`);
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  } finally {
    await store.close();
  }
}

describe('an S3 store that answers with', () => {
  it.each<[string, Answer, string, string]>([
    ['AccessDenied', { status: 403, code: 'AccessDenied' }, 'STORAGE_FORBIDDEN', 's3:PutObject'],
    ['InvalidAccessKeyId', { status: 403, code: 'InvalidAccessKeyId' }, 'STORAGE_FORBIDDEN', 'access key'],
    ['SignatureDoesNotMatch', { status: 403, code: 'SignatureDoesNotMatch' }, 'STORAGE_FORBIDDEN', 'secret'],
    ['a 403 without words', { status: 403 }, 'STORAGE_FORBIDDEN', 's3:PutObject'],
    ['NoSuchBucket', { status: 404, code: 'NoSuchBucket' }, 'STORAGE_BUCKET_NOT_FOUND', 'no such bucket'],
    [
      'PermanentRedirect',
      { status: 301, code: 'PermanentRedirect', headers: { 'x-amz-bucket-region': 'eu-west-3' } },
      'STORAGE_WRONG_REGION',
      'eu-west-3',
    ],
    [
      'AuthorizationHeaderMalformed',
      { status: 400, code: 'AuthorizationHeaderMalformed', xml: '<Region>eu-north-1</Region>' },
      'STORAGE_WRONG_REGION',
      'eu-north-1',
    ],
    ['ExpiredToken', { status: 400, code: 'ExpiredToken' }, 'STORAGE_CREDENTIALS_UNAVAILABLE', 'expired'],
    ['SlowDown', { status: 503, code: 'SlowDown' }, 'STORAGE_UNAVAILABLE', '503'],
    ['InternalError', { status: 500, code: 'InternalError' }, 'STORAGE_UNAVAILABLE', '500'],
    ['a bad gateway', { status: 502 }, 'STORAGE_UNAVAILABLE', '502'],
    ['RequestTimeout', { status: 400, code: 'RequestTimeout' }, 'STORAGE_UNAVAILABLE', 'RequestTimeout'],
    ['XMinioStorageFull', { status: 507, code: 'XMinioStorageFull' }, 'STORAGE_FULL', 'no space'],
    ['NotImplemented', { status: 501, code: 'NotImplemented' }, 'STORAGE_NOT_ATOMIC', 'conditional'],
    ['InvalidRequest', { status: 400, code: 'InvalidRequest' }, 'STORAGE_REFUSED', 'InvalidRequest'],
  ])(
    '%s is reported in the words of the catalogue, after one request, without secrets or the words of the store',
    async (_, answer, code, found) => {
      answers = [answer];
      const error = await refusal();
      expect(error.code).toBe(code);
      expect(error.message).toContain('s3://bucket/table');
      expect(error.message).toContain(found);
      expect(JSON.stringify([error.message, error.facts])).not.toContain('CANARY');
      expect(requests).toHaveLength(1);
    },
  );

  it('Retry-After passes it on, within reason', async () => {
    answers = [{ status: 503, code: 'SlowDown', headers: { 'retry-after': '7' } }];
    expect((await refusal()).retryAfterMs).toBe(7_000);
    answers = [{ status: 503, code: 'XMinioServerNotInitialized', headers: { 'retry-after': '60' } }];
    expect((await refusal()).retryAfterMs).toBe(10_000);
  });

  it.each([412, 304])('%d to a conditional put says that the object exists', async (status) => {
    answers = [{ status, ...(status === 412 ? { code: 'PreconditionFailed' } : {}) }];
    const store = makeS3ObjectStore('bucket', '', { tablePath: 's3://bucket', s3Endpoint: endpoint, ...KEYS });
    expect(await store.putIfAbsent('1.json', new Uint8Array([1]))).toBe('exists');
    expect(requests).toHaveLength(1);
    expect(requests[0]?.headers['if-none-match']).toBe('*');
    await store.close();
  });

  it('ConditionalRequestConflict gets the same put again', async () => {
    answers = [
      { status: 409, code: 'ConditionalRequestConflict' },
      { status: 409, code: 'ConditionalRequestConflict' },
      { status: 200 },
    ];
    const store = makeS3ObjectStore('bucket', '', { tablePath: 's3://bucket', s3Endpoint: endpoint, ...KEYS });
    expect(await store.putIfAbsent('1.json', new Uint8Array([1]))).toBe('created');
    expect(requests).toHaveLength(3);
    await store.close();
  });

  it('ConditionalRequestConflict without end is given back to the caller', async () => {
    answers = [{ status: 409, code: 'ConditionalRequestConflict' }];
    expect((await refusal()).code).toBe('STORAGE_UNAVAILABLE');
    expect(requests).toHaveLength(5);
  });

  it('RequestTimeTooSkewed again and again names the clock', async () => {
    answers = [{ status: 403, code: 'RequestTimeTooSkewed' }];
    expect((await refusal()).code).toBe('STORAGE_CLOCK_SKEW');
  });

  it('a passing fault to a read gets the read again', async () => {
    answers = [
      { status: 503, code: 'SlowDown' },
      { status: 500, code: 'InternalError' },
      { status: 404, code: 'NoSuchKey' },
    ];
    const store = makeS3ObjectStore('bucket', '', { tablePath: 's3://bucket', s3Endpoint: endpoint, ...KEYS });
    expect(await store.read('a')).toBeUndefined();
    expect(requests).toHaveLength(3);
    await store.close();
  });
});

describe('a request to an S3 store', () => {
  it('names the bucket in its path when the endpoint is given (S0.55), in region us-east-1 unless told', async () => {
    answers = [{ status: 403, code: 'AccessDenied' }];
    await refusal();
    await refusal({ ...KEYS, awsRegion: 'eu-central-1' });
    expect(requests.map(({ url }) => url?.split('?')[0])).toEqual(['/bucket/table/1.json', '/bucket/table/1.json']);
    expect(requests[0]?.headers.authorization).toContain('Credential=CANARYKEYID/');
    expect(requests.map(({ headers }) => headers.authorization?.split('/')[2])).toEqual(['us-east-1', 'eu-central-1']);
  });

  describe('without keys of its own (S0.35)', () => {
    beforeEach(() => {
      answers = [{ status: 403, code: 'AccessDenied' }];
    });
    const usedKey = (): string | undefined => /Credential=([^/]*)/.exec(requests.at(-1)?.headers.authorization ?? '')?.[1];

    it('uses those of the environment', async () => {
      Object.assign(process.env, { AWS_ACCESS_KEY_ID: 'FROMENV', AWS_SECRET_ACCESS_KEY: 'x' });
      await refusal({});
      expect(usedKey()).toBe('FROMENV');
    });

    it('uses those of the shared profile', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'profile-'));
      const file = join(directory, 'credentials');
      await writeFile(file, '[lake]\naws_access_key_id = FROMPROFILE\naws_secret_access_key = x\n');
      Object.assign(process.env, { AWS_SHARED_CREDENTIALS_FILE: file, AWS_PROFILE: 'lake' });
      await refusal({});
      expect(usedKey()).toBe('FROMPROFILE');
      await rm(directory, { recursive: true });
    });

    it('uses the role of an ECS task', async () => {
      process.env['AWS_CONTAINER_CREDENTIALS_FULL_URI'] = `${endpoint}/credentials`;
      await refusal({});
      expect(usedKey()).toBe('FROMECS');
      expect(requests.at(-1)?.headers['x-amz-security-token']).toBe('t');
    });

    it('says that there are none', async () => {
      const error = await refusal({});
      expect(error.code).toBe('STORAGE_CREDENTIALS_UNAVAILABLE');
      expect(requests).toHaveLength(0);
    });
  });

  it('without a region and an endpoint says which setting is missing', async () => {
    const error = await refusal({ ...KEYS, s3Endpoint: undefined });
    expect(error.code).toBe('STORAGE_WRONG_REGION');
  });
});
