import { parentPort, workerData } from 'node:worker_threads';
import type { Segment } from './ndjson-segments.ts';
import { makeSegmentFlattener, READY, type FlattenJob } from './segment-flattener.ts';

/** Runs in a thread of its own: takes segments and answers each, in order. The buffers travel, they are not copied. */
const port = parentPort;
if (port === null) throw new Error('this file is the program of a worker thread');
const flatten = makeSegmentFlattener(workerData as FlattenJob);

port.on('message', (segment: Segment) => {
  const flattened = flatten(segment);
  // A buffer of its own: small ones may share one with others, which must not travel.
  const bytes = new Uint8Array(flattened.bytes);

  port.postMessage({ result: { ...flattened, bytes }, buffer: segment.buffer }, [bytes.buffer, segment.buffer]);
});
port.postMessage(READY);
