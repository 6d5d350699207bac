import { describe, expect, it } from '@jest/globals';
import { BufferPool, type Segment } from '../../../app/flatten/ndjson-segments.ts';
import { flattenSegments } from '../../../app/flatten/segment-threads.ts';
import { aColumn } from '../../helpers/views.ts';

const LINES = 100;
/** Segments that other threads must have had before the test ends, or all when there are no other threads. */
const ENOUGH = 20;

/** Segments of texts of their own, until enough of them have gone to other threads: buffers that travelled are empty. */
async function* makeSegments(threads: number): AsyncGenerator<Segment> {
  const buffers: ArrayBuffer[] = [];
  const count = (): number => (threads === 1 ? buffers.length : buffers.filter(({ byteLength }) => byteLength === 0).length);
  while (count() < ENOUGH) {
    const lines = Array.from({ length: LINES }, (_, line) =>
      JSON.stringify({ resourceType: 'Patient', id: `s${buffers.length}-${line}` }),
    );
    const { buffer } = new Uint8Array(Buffer.from(`${lines.join('\n')}\n`));
    buffers.push(buffer);
    // As when a file is read, whoever waits for something else has his turn.
    await new Promise(setImmediate);
    yield { buffer, sizeBytes: buffer.byteLength };
  }
}

describe('flattening segments', () => {
  it.each([1, 2, 3])(
    'gives what became of them in their order, unchanged by those that follow: %i thread(s)',
    async (threads) => {
      const job = { viewDefinition: aColumn('id'), format: 'parquet', skipErrors: false } as const;
      const results: { rows: number; bytes: Buffer }[] = [];
      for await (const { rows, bytes } of flattenSegments(makeSegments(threads), job, threads, new BufferPool())) {
        results.push({ rows, bytes: Buffer.from(new Uint8Array(bytes)) });
      }
      expect(results.map(({ rows }) => rows)).toEqual(Array.from({ length: results.length }, () => LINES));
      // The ids are stored as they are, so that each piece holds its own.
      const first = results.map(({ bytes }) => /s\d+-0(?!\d)/.exec(bytes.toString('latin1'))?.[0]);
      expect(first).toEqual(Array.from({ length: results.length }, (_, segment) => `s${segment}-0`));
    },
    60_000,
  );
});
