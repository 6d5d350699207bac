/**
 * Whether the bytes from `start` on are those of `expected` from `from` to `to`, eight at a time. As numbers eight bytes are equal only if they are
 * the same: the exception, minus zero, has bytes of zero, which neither JSON nor UTF-8 text outside of strings has.
 *
 * @param expected bytes of valid JSON
 */
export function startsWithBytes(bytes: DataView, start: number, expected: DataView, from: number, to: number): boolean {
  const size = to - from;
  if (start + size > bytes.byteLength) return false;
  if (size < 8) {
    for (let at = 0; at < size; at++) if (bytes.getUint8(start + at) !== expected.getUint8(from + at)) return false;
    return true;
  }
  for (let at = 0; at + 8 < size; at += 8) {
    if (bytes.getFloat64(start + at, true) !== expected.getFloat64(from + at, true)) return false;
  }
  // The last eight, some of which may have been compared already.
  return bytes.getFloat64(start + size - 8, true) === expected.getFloat64(to - 8, true);
}
