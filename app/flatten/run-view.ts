import { AppError } from '../errors/app-error.ts';
import { PARQUET_MAGIC, ParquetFooter } from '../parquet/parquet-file.ts';
import { compileView } from '../view/compile-view.ts';
import type { ViewColumn } from '../view/compiled-view.ts';
import { csvHeader } from './csv-encoder.ts';
import type { Format } from './make-encoder.ts';
import { BufferPool, readSegments } from './ndjson-segments.ts';
import type { Output } from './output-file.ts';
import { makeFileColumns } from './parquet-encoder.ts';
import type { FlattenedSegment } from './segment-flattener.ts';
import { flattenSegments } from './segment-threads.ts';

export interface RunOptions {
  readonly viewDefinition: unknown;
  /** Path of the NDJSON file, plain or gzip; `-` is standard input. */
  readonly dataPath: string;
  readonly format: Format;
  readonly threads: number;
  readonly skipErrors: boolean;
  readonly output: Output;
  /** Told after each segment. */
  readonly onProgress: (totals: RunTotals) => void;
  /** Ends the run with its reason. */
  readonly signal: AbortSignal;
}

/** What a run has done so far. */
export interface RunTotals {
  /** Bytes of the file as it is, unpacked or not. */
  readBytes: number;
  lines: number;
  resources: number;
  otherTypes: number;
  rows: number;
  badLines: number;
  /** The first bad line in words that hold nothing of its content. */
  firstBad: string | undefined;
}

/**
 * Flattens a file of resources; the rows come in the order of the resources. Holds a few segments of the file at a time, whatever its size.
 * The output is left as it is when this throws: the caller discards it.
 *
 * @throws AppError of the first bad line, which is named by its number, unless errors are skipped; VIEW_INVALID, DATA_FILE_UNREADABLE,
 *   OUTPUT_UNWRITABLE
 */
export async function runView(options: RunOptions): Promise<RunTotals> {
  const { viewDefinition, format, skipErrors, output, signal } = options;
  const { columns } = compileView(viewDefinition);
  const totals: RunTotals = { readBytes: 0, lines: 0, resources: 0, otherTypes: 0, rows: 0, badLines: 0, firstBad: undefined };
  const frame = makeFrame(format, columns);
  const pool = new BufferPool();
  const segments = readSegments(options.dataPath, pool, (count) => (totals.readBytes += count));
  // A table keeps its widths from segment to segment, so one thread has to make it.
  const threads = format === 'table' ? 1 : options.threads;

  await output.write(frame.head);
  for await (const segment of flattenSegments(segments, { viewDefinition, format, skipErrors }, threads, pool)) {
    signal.throwIfAborted();
    const { firstBad } = segment;
    if (firstBad !== undefined) {
      const message = `line ${totals.lines + firstBad.line}: ${firstBad.message}`;
      if (!skipErrors) throw new AppError(firstBad.code, message);
      totals.firstBad ??= `${firstBad.code}: ${message}`;
    }
    addTotals(totals, segment);
    frame.note(segment);
    await output.write(segment.bytes);
    options.onProgress(totals);
  }
  await output.write(frame.tail());
  return totals;
}

function addTotals(totals: RunTotals, segment: FlattenedSegment): void {
  for (const name of ['lines', 'resources', 'otherTypes', 'rows', 'badLines'] as const) totals[name] += segment[name];
}

/** What stands before and behind the rows. */
interface Frame {
  readonly head: Uint8Array;
  note(segment: FlattenedSegment): void;
  tail(): Uint8Array;
}

function makeFrame(format: Format, columns: readonly ViewColumn[]): Frame {
  if (format !== 'parquet') {
    const head = Buffer.from(format === 'csv' ? csvHeader(columns) : '');
    return { head, note: () => undefined, tail: () => new Uint8Array() };
  }
  const footer = new ParquetFooter(makeFileColumns(columns));
  return {
    head: PARQUET_MAGIC,
    note: ({ groups }) => {
      for (const group of groups) footer.add(group);
    },
    tail: () => footer.encode(),
  };
}
