import { createHash, timingSafeEqual } from 'node:crypto';

/** SHA-256 of a secret as 64 hex digits: what is kept of a secret that only has to be recognised. */
export function hashSecret(secret: string): string {
  return createHash('sha256').update(secret, 'utf8').digest('hex');
}

/** True when both texts are equal; the time taken tells nothing about either, not even its length. */
export function isSameSecret(given: string, expected: string): boolean {
  return timingSafeEqual(
    createHash('sha256').update(given, 'utf8').digest(),
    createHash('sha256').update(expected, 'utf8').digest(),
  );
}

/** Like `isSameSecret`, for an expected secret of which only `hashSecret` is kept. */
export function matchesSecretHash(given: string, expectedHash: string): boolean {
  return isSameSecret(hashSecret(given), expectedHash);
}
