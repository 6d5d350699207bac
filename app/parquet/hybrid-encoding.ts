import type { ByteSink } from './byte-sink.ts';

/**
 * Adds unsigned numbers in Parquet's hybrid of run lengths and bit-packed groups of eight, as levels and dictionary indices have it.
 *
 * @param bitWidth bits of the largest value, 1 to 24
 */
export function addHybrid(sink: ByteSink, values: ArrayLike<number>, count: number, bitWidth: number): void {
  let packedFrom = 0;
  for (let at = 0; at < count;) {
    const value = values[at];
    let end = at + 1;
    while (end < count && values[end] === value) end++;
    // Groups before a run are whole: the run gives its first values to the last group.
    const runFrom = packedFrom + Math.ceil((at - packedFrom) / 8) * 8;
    if (end - runFrom >= 8) {
      addPacked(sink, values, packedFrom, runFrom, bitWidth);
      addRun(sink, value ?? 0, end - runFrom, bitWidth);
      packedFrom = end;
    }
    at = end;
  }
  addPacked(sink, values, packedFrom, count, bitWidth);
}

function addRun(sink: ByteSink, value: number, count: number, bitWidth: number): void {
  sink.addVarint(count * 2);
  for (let bits = 0; bits < bitWidth; bits += 8) sink.addByte(value >>> bits);
}

/** Values from `start` to `end`, the last group filled with zeros. */
function addPacked(sink: ByteSink, values: ArrayLike<number>, start: number, end: number, bitWidth: number): void {
  const groups = Math.ceil((end - start) / 8);
  if (groups === 0) return;
  sink.addVarint(groups * 2 + 1);
  sink.reserve(groups * bitWidth);
  const { bytes } = sink;
  let { length } = sink;
  let pending = 0;
  let pendingBits = 0;
  for (let at = start; at < start + groups * 8; at++) {
    pending |= (at < end ? (values[at] ?? 0) : 0) << pendingBits;
    for (pendingBits += bitWidth; pendingBits >= 8; pendingBits -= 8) {
      bytes[length++] = pending;
      pending >>>= 8;
    }
  }
  sink.length = length;
}
