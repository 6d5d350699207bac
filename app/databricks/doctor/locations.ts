/** True when `inner` is the place `outer` or lies in it. A slash at the end does not count. */
export function isWithin(outer: string, inner: string): boolean {
  return `${trim(inner)}/`.startsWith(`${trim(outer)}/`);
}

/** True for two spellings of one place. */
export function isSamePlace(one: string, other: string): boolean {
  return trim(one) === trim(other);
}

/** `s3a://` is another spelling of `s3://`. */
function trim(url: string): string {
  return url.replace(/^s3a:/, 's3:').replace(/\/+$/, '');
}
