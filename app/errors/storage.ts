import type { ErrorEntry } from './entry.ts';

/** Errors of the places where tables live: local disk and object stores. */
export const STORAGE_ERRORS = {
  STORAGE_UNAVAILABLE: {
    retry: 'later',
    meaning: 'The store did not answer, or answered that it is overloaded or broken; whether a write took place is unknown.',
    action: 'Check that the store is up and reachable from this machine; the product tries again by itself.',
  },
  STORAGE_FULL: {
    retry: 'later',
    meaning: 'The disk or the storage quota is full.',
    action: 'Free space or raise the quota; the product tries again by itself.',
  },
  STORAGE_FORBIDDEN: {
    retry: 'never',
    meaning: 'The store refused the credentials, or they lack the right that the message names.',
    action: 'Give the credentials (or the user of this process) the named right on the table path, or correct them.',
  },
  STORAGE_CREDENTIALS_UNAVAILABLE: {
    retry: 'later',
    meaning: 'No credentials for the store were found, or they have expired.',
    action:
      'Pass a key pair, or make the default chain work (environment, shared profile, ECS, EC2 or IRSA role), and see that it renews them.',
  },
  STORAGE_BUCKET_NOT_FOUND: {
    retry: 'never',
    meaning: 'The bucket in the table path does not exist at the endpoint in use.',
    action: 'Create the bucket, or correct tablePath, awsRegion or s3Endpoint.',
  },
  STORAGE_WRONG_REGION: {
    retry: 'never',
    meaning: 'The bucket lives in another region than the one configured, or no region is configured.',
    action: 'Set awsRegion to the region of the bucket.',
  },
  STORAGE_CLOCK_SKEW: {
    retry: 'later',
    meaning: 'The clock of this machine differs too much from that of the store.',
    action: 'Synchronise the clock of this machine (NTP).',
  },
  STORAGE_REFUSED: {
    retry: 'never',
    meaning: 'The store refused the request for a reason of its own, which the message names by its code.',
    action: 'Look the code up in the documentation of the store and correct the configuration.',
  },
  STORAGE_NOT_ATOMIC: {
    retry: 'never',
    meaning: 'The store cannot create an object only if it is absent, so two writers could overwrite each other.',
    action: 'Use a store with conditional writes: S3, a current MinIO, or a local file system with hard links.',
  },
  STORAGE_ADDRESS_INVALID: {
    retry: 'never',
    meaning: 'The table path or the way to reach it is malformed.',
    action: 'Correct tablePath, s3Endpoint or the key pair as the message says.',
  },
  STORAGE_SCHEME_UNSUPPORTED: {
    retry: 'never',
    meaning: 'The table path names a kind of storage that this build does not write to.',
    action: 'Use file:// or s3://.',
  },
  STORAGE_PATH_NOT_ALLOWED: {
    retry: 'never',
    meaning:
      'A path leads outside the directory that tables may live in, or through a symbolic link, or is no path of an object.',
    action: 'Use a path below the directory for local tables (docs/configuration.md), without symbolic links.',
  },
} as const satisfies Record<string, ErrorEntry>;
