import { expect, it } from '@jest/globals';
import fc from 'fast-check';
import { snappyUncompress } from 'hyparquet';
import { ByteSink } from '../../../app/parquet/byte-sink.ts';
import { addSnappy } from '../../../app/parquet/snappy.ts';

/** Random pieces, repeated pieces and long runs, over the block size of 64 KiB now and then. */
const bytes = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 200 }).map((piece) => [piece]),
      fc
        .record({ piece: fc.uint8Array({ minLength: 1, maxLength: 80 }), times: fc.integer({ min: 2, max: 4_000 }) })
        .map(({ piece, times }) => Array.from({ length: times }, () => piece)),
    ),
    { maxLength: 6 },
  )
  .map((pieces) => Buffer.concat(pieces.flat()));

it('what Snappy compressed is the same when another decoder unpacks it', () => {
  fc.assert(
    fc.property(bytes, (input) => {
      const sink = new ByteSink();
      addSnappy(sink, input);
      const packed = sink.view();
      const output = new Uint8Array(input.length);
      if (input.length > 0) snappyUncompress(packed, output);
      expect(Buffer.compare(output, input)).toBe(0);
      expect(packed.length).toBeLessThanOrEqual(input.length + input.length / 6 + 32);
    }),
    { numRuns: 300 },
  );
});
