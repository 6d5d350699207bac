/** A value of the user in a message: quoted, cut, without control characters. */
export function quote(value: string): string {
  const shown = value.replace(/\p{Cc}/gu, '?');
  return shown.length > 80 ? `"${shown.slice(0, 80)}…"` : `"${shown}"`;
}

/**
 * The shell or documentation placeholder that a value still holds, for example `$SP_CLIENT_ID` or `<key>`; nobody fills them in (S0.56).
 * A secret may hold such characters by chance, so it is one only as a whole.
 */
export function findPlaceholder(value: string, isSecret: boolean): string | undefined {
  const pattern = isSecret ? /^(?:\$\{\w+\}|\$[A-Za-z_]\w*|<[^<>]*>)$/ : /\$\{\w+\}|\$[A-Za-z_]\w*|<[^<>]*>/;
  return pattern.exec(value)?.[0];
}

/** Each check says `found …, expected …`, or undefined when the value is good. */
export function checkRegion(value: string): string | undefined {
  return /^[a-z0-9-]{1,40}$/.test(value) ? undefined : `found ${quote(value)}, expected a region such as us-east-1`;
}

/** An address without path, query or credentials. */
export function checkOrigin(value: string, protocols: readonly string[]): string | undefined {
  const expected = `expected ${protocols.map((protocol) => `${protocol}//host`).join(' or ')}${protocols.length > 1 ? ':port' : ''} and nothing behind it`;
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !protocols.includes(url.protocol)) return `found ${quote(withoutCredentials(value))}, ${expected}`;
  if (url.username !== '' || url.password !== '') return `found an address that holds credentials, ${expected}`;
  return url.pathname === '/' && url.search === '' && url.hash === ''
    ? undefined
    : `found ${quote(withoutCredentials(value))}, ${expected}`;
}

/** True for an address of this machine: the only place to which anything may go unencrypted. */
export function isLoopback(value: string): boolean {
  const hostname = URL.canParse(value) ? new URL(value).hostname : '';
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}

/** Where a table may be in this build. */
export function checkTablePath(value: string): string | undefined {
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(value)?.[1]?.toLowerCase();
  const expected = 'expected s3://bucket/path or file:///path';
  if (scheme === 'gs' || scheme === 'abfss') return `found ${scheme}://, which is not in this build yet; ${expected}`;
  if (scheme === 'file') {
    return /^file:\/\/\/[^/]/.test(value) && isPlainPath(value.slice('file://'.length))
      ? undefined
      : `found ${quote(value)}, expected file:///absolute/path without . or .. in it`;
  }
  if (scheme === 's3') return checkObjectPath(value, ['s3'], 'a path within the bucket');
  return `found ${quote(withoutCredentials(value))}, ${expected}`;
}

/** `scheme://bucket/path`. @param place what the path is to be, for the message */
export function checkObjectPath(value: string, schemes: readonly string[], place: string): string | undefined {
  const match = /^([a-z0-9]+):\/\/([^/?#\s@]+(?:@[^/?#\s@]+)?)\/([^?#\s]+)$/.exec(value);
  if (!match || !schemes.includes(match[1]!))
    return `found ${quote(withoutCredentials(value))}, expected ${schemes.map((scheme) => `${scheme}://`).join(', ')} with a bucket and ${place}`;
  if (match[1] !== 'abfss' && match[2]!.includes('@'))
    return `found an address that holds credentials, expected ${match[1]}://bucket/path`;
  return isPlainPath(match[3]!)
    ? undefined
    : `found ${quote(withoutCredentials(value))}, expected a path without empty parts, . or ..`;
}

function isPlainPath(path: string): boolean {
  const parts = path.replace(/^\//, '').replace(/\/$/, '').split('/');
  return parts.every((part) => part !== '' && part !== '.' && part !== '..');
}

function withoutCredentials(value: string): string {
  return value.replace(/\/\/.*@/s, '//…@'); // up to the last @: a secret may hold slashes
}
