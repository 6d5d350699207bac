import type { ByteSink } from './byte-sink.ts';

/** Matches reach back at most 64 KiB, so each block of that size is compressed by itself, as Google's code does. */
const BLOCK = 65_536;
const HASH_BITS = 13;
/** Words are read four bytes at a time; the last bytes of a block are literals. */
const MARGIN = 15;
/** What is tried of a page to see whether the rest is worth the time. */
const SAMPLE = 8_192;
const MIN_SAVING = 0.1;

const positions = new Uint16Array(1 << HASH_BITS);

/**
 * Adds `input` in the block format of Snappy. What does not shrink (ids, bytes that are compressed already) is stored as it is, which the format
 * allows at no cost: a sample of the beginning decides.
 */
export function addSnappy(sink: ByteSink, input: Uint8Array): void {
  sink.addVarint(input.length);
  sink.reserve(input.length + Math.ceil(input.length / 6) + 64);
  const begin = sink.length;
  if (input.length > 4 * SAMPLE) {
    addBlock(sink, input, 0, SAMPLE);
    const isWorthIt = sink.length - begin <= SAMPLE * (1 - MIN_SAVING);
    sink.length = begin;
    if (!isWorthIt) return addLiteral(sink, input, 0, input.length);
  }
  for (let start = 0; start < input.length; start += BLOCK) addBlock(sink, input, start, Math.min(start + BLOCK, input.length));
}

function addBlock(sink: ByteSink, input: Uint8Array, start: number, end: number): void {
  let literalFrom = start;
  const limit = end - MARGIN;
  // Zero means "the block's first byte", which is right for an entry that was never set: matches are compared anyway.
  positions.fill(0);
  let at = start + 1;
  let misses = 32;
  while (at < limit) {
    const word = load32(input, at);
    const hash = Math.imul(word, 0x1e35a7bd) >>> (32 - HASH_BITS);
    const candidate = start + (positions[hash] ?? 0);
    positions[hash] = at - start;
    if (load32(input, candidate) !== word) {
      // The longer nothing matches, the larger the steps.
      at += misses++ >>> 5;
      continue;
    }
    misses = 32;
    if (at > literalFrom) addLiteral(sink, input, literalFrom, at);
    let matchEnd = at + 4;
    for (let from = candidate + 4; matchEnd < end && input[matchEnd] === input[from]; from++) matchEnd++;
    addCopy(sink, at - candidate, matchEnd - at);
    at = matchEnd;
    literalFrom = matchEnd;
  }
  if (literalFrom < end) addLiteral(sink, input, literalFrom, end);
}

function load32(input: Uint8Array, at: number): number {
  return (
    (input[at] as number) |
    ((input[at + 1] as number) << 8) |
    ((input[at + 2] as number) << 16) |
    ((input[at + 3] as number) << 24)
  );
}

function addLiteral(sink: ByteSink, input: Uint8Array, start: number, end: number): void {
  const last = end - start - 1;
  if (last < 60) {
    sink.addByte(last << 2);
  } else {
    const size = last < 0x100 ? 1 : last < 0x1_0000 ? 2 : last < 0x100_0000 ? 3 : 4;
    sink.addByte((59 + size) << 2);
    for (let index = 0; index < size; index++) sink.addByte(last >>> (8 * index));
  }
  if (last > 32) return sink.addBytes(input.subarray(start, end));
  sink.reserve(end - start);
  for (let at = start; at < end; at++) sink.bytes[sink.length++] = input[at] as number;
}

/** Copies of at most 64 bytes each; the last one of four or more. */
function addCopy(sink: ByteSink, offset: number, length: number): void {
  sink.reserve(3 * (Math.ceil(length / 60) + 1));
  let left = length;
  for (; left > 67; left -= 64) addCopyOfTwoBytes(sink, offset, 64);
  if (left > 64) {
    addCopyOfTwoBytes(sink, offset, 60);
    left -= 60;
  }
  if (left < 12 && offset < 2048) {
    sink.bytes[sink.length++] = 1 | ((left - 4) << 2) | ((offset >>> 8) << 5);
    sink.bytes[sink.length++] = offset;
  } else {
    addCopyOfTwoBytes(sink, offset, left);
  }
}

function addCopyOfTwoBytes(sink: ByteSink, offset: number, length: number): void {
  sink.bytes[sink.length++] = 2 | ((length - 1) << 2);
  sink.bytes[sink.length++] = offset;
  sink.bytes[sink.length++] = offset >>> 8;
}
