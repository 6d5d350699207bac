import { parseRetryAfterMs } from '../lib/retry-after.ts';
import { AppError } from '../errors/app-error.ts';
import { describeCause } from '../lib/describe-cause.ts';

/** What the store needs to allow for each operation, by the names of IAM. */
const RIGHTS = {
  GetObject: 's3:GetObject, and s3:ListBucket so that a missing object can be told from a forbidden one',
  HeadObject: 's3:GetObject, and s3:ListBucket so that a missing object can be told from a forbidden one',
  ListObjectsV2: 's3:ListBucket',
  PutObject: 's3:PutObject',
  DeleteObject: 's3:DeleteObject',
} as const;

export type S3Operation = keyof typeof RIGHTS;

const BAD_KEYS = ['InvalidAccessKeyId', 'SignatureDoesNotMatch', 'InvalidToken', 'AuthFailure', 'UnrecognizedClientException'];
const EXPIRED = ['ExpiredToken', 'ExpiredTokenException', 'TokenRefreshRequired', 'RequestExpired'];
const CLOCK_SKEW = ['RequestTimeTooSkewed', 'RequestInTheFuture'];
const WRONG_REGION = ['PermanentRedirect', 'AuthorizationHeaderMalformed', 'IllegalLocationConstraintException'];
const NO_CREDENTIALS = ['CredentialsProviderError', 'TokenProviderError', 'ProviderError'];

/** MinIO says 60 s to whoever comes while it starts, which takes it one. */
const MAX_RETRY_AFTER_MS = 10_000;

interface S3Failure {
  readonly name: string;
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly region: string | undefined;
  readonly message: string;
}

/** HTTP status of an answer that the store gave, or undefined when none came. */
export function s3Status(error: unknown): number | undefined {
  return readFailure(error).status;
}

/** True when the store did not carry the request out because the clocks differ; the SDK has corrected its own by then. */
export function isClockSkew(error: unknown): boolean {
  return CLOCK_SKEW.includes(readFailure(error).name);
}

/**
 * An error of the SDK in the words of the catalogue. Anything that does not prove that the request was refused is STORAGE_UNAVAILABLE.
 * The texts of the store are not repeated: they may hold an access key or a string to sign.
 *
 * @param address `s3://bucket/prefix`
 */
export function wrapS3Error(error: unknown, operation: S3Operation, address: string): AppError {
  if (error instanceof AppError) return error;
  const { name, status, headers, region, message } = readFailure(error);
  const fail = (code: AppError['code'], found: string): AppError =>
    new AppError(code, `${operation} on ${address}: ${found}`, {
      facts: { cause: describeCause(error), ...(status === undefined ? {} : { status }) },
      cause: error,
      retryAfterMs: parseRetryAfterMs(headers['retry-after'], MAX_RETRY_AFTER_MS),
    });
  const rightRegion = region ?? headers['x-amz-bucket-region'];

  if (status === undefined) {
    if (NO_CREDENTIALS.includes(name))
      return fail('STORAGE_CREDENTIALS_UNAVAILABLE', 'the default chain found no AWS credentials');
    if (message === 'Region is missing') return fail('STORAGE_WRONG_REGION', 'no region is configured');
    return fail('STORAGE_UNAVAILABLE', `no answer (${describeCause(error)})`);
  }
  if (CLOCK_SKEW.includes(name)) return fail('STORAGE_CLOCK_SKEW', 'the clock of this machine differs from that of the store');
  if (EXPIRED.includes(name)) return fail('STORAGE_CREDENTIALS_UNAVAILABLE', `the credentials have expired (${name})`);
  if (name === 'NoSuchBucket') return fail('STORAGE_BUCKET_NOT_FOUND', 'there is no such bucket');
  if (status === 301 || WRONG_REGION.includes(name)) {
    return fail(
      'STORAGE_WRONG_REGION',
      rightRegion === undefined ? 'the bucket is in another region' : `the bucket is in region ${rightRegion}`,
    );
  }
  if (BAD_KEYS.includes(name))
    return fail('STORAGE_FORBIDDEN', `the store does not accept the access key or its secret (${name})`);
  if (status === 401 || status === 403) return fail('STORAGE_FORBIDDEN', `refused; the credentials need ${RIGHTS[operation]}`);
  if (status === 507 || name === 'XMinioStorageFull' || name === 'QuotaExceeded') return fail('STORAGE_FULL', 'no space left');
  if (status >= 500 || status === 408 || status === 429 || status === 409 || name === 'RequestTimeout' || name === 'SlowDown') {
    return fail('STORAGE_UNAVAILABLE', `the store answered ${status} (${describeCause(error)})`);
  }
  if (status >= 400) return fail('STORAGE_REFUSED', `the store answered ${status} (${describeCause(error)})`);
  return fail('STORAGE_UNAVAILABLE', `an answer that makes no sense: ${status} (${describeCause(error)})`);
}

function readFailure(error: unknown): S3Failure {
  const { name, message, Region, $metadata, $response } = (error ?? {}) as {
    name?: unknown;
    message?: unknown;
    Region?: unknown;
    $metadata?: { httpStatusCode?: number };
    $response?: { statusCode?: number; headers?: Record<string, string> };
  };
  return {
    name: typeof name === 'string' ? name : '',
    message: typeof message === 'string' ? message : '',
    status: $metadata?.httpStatusCode ?? $response?.statusCode,
    headers: $response?.headers ?? {},
    region: typeof Region === 'string' ? Region : undefined,
  };
}
