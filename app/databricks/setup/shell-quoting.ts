/** A word as a POSIX shell reads it: bare when nothing in it has a meaning there, else in single quotes. */
export function quoteWord(text: string): string {
  return /^[A-Za-z0-9_./:@%+=,-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`;
}
