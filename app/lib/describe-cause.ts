/**
 * Class and code of an unknown error, safe to log: `TypeError`, `Error:ECONNREFUSED`, `S3ServiceException:SlowDown`.
 * The text of a third-party error may quote data, so it is never used. Works across realms (no `instanceof`).
 */
export function describeCause(error: unknown): string {
  if (typeof error !== 'object' || error === null) return typeof error;
  const { name, code, cause } = error as { name?: unknown; code?: unknown; cause?: unknown };
  const label = typeof name === 'string' && /^[\w.]{1,60}$/.test(name) ? name : 'Error';
  const detail = typeof code === 'string' && /^[\w.-]{1,60}$/.test(code) ? code : undefined;
  if (detail !== undefined && detail !== label) return `${label}:${detail}`;
  return cause === undefined ? label : `${label} < ${describeCause(cause)}`;
}
