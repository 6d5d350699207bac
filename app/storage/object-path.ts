import { AppError } from '../errors/app-error.ts';

/** Byte order of UTF-8, the order in which object stores list; JavaScript's own `<` differs for characters above U+FFFF. */
export function compareBytes(a: string, b: string): number {
  return Buffer.compare(Buffer.from(a), Buffer.from(b));
}

/**
 * Checks the relative path of one object: parts divided by single `/`, none of them `.` or `..`, no NUL, no half of a surrogate pair.
 *
 * @throws AppError STORAGE_PATH_NOT_ALLOWED
 */
export function checkObjectPath(path: string): void {
  const bad = /[\0\p{Surrogate}]/u.test(path) || path.split('/').some((part) => part === '' || part === '.' || part === '..');
  if (bad)
    throw new AppError(
      'STORAGE_PATH_NOT_ALLOWED',
      'an object path must be relative and well-formed, without empty, "." or ".." parts',
    );
}
