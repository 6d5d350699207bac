import { isUtf8 } from 'node:buffer';
import { AppError, isAppError } from '../errors/app-error.ts';
import { compileView } from '../view/compile-view.ts';
import type { Resource } from '../view/compiled-view.ts';
import { parseExactly } from '../view/exact-json.ts';
import { makeSegmentEncoder, type Format } from './make-encoder.ts';
import { findNeededNames } from './needed-names.ts';
import type { Segment } from './ndjson-segments.ts';
import { makeProjectingParser, type ParseLine } from './projecting-parser.ts';
import type { EncodedRows } from './segment-encoder.ts';

/** What to do with every segment; goes to the threads as it is. */
export interface FlattenJob {
  readonly viewDefinition: unknown;
  readonly format: Format;
  /** Count bad lines and go on, instead of stopping at the first. */
  readonly skipErrors: boolean;
}

/** A line that gave no rows because something is wrong with it. */
export interface BadLine {
  /** Counted from 1, within the segment. */
  readonly line: number;
  readonly code: AppError['code'];
  /** Never holds content of the line. */
  readonly message: string;
}

/** What became of one segment. Can be cloned from thread to thread. */
export interface FlattenedSegment extends EncodedRows {
  readonly lines: number;
  readonly resources: number;
  /** Resources of other types than the view is for. */
  readonly otherTypes: number;
  readonly rows: number;
  readonly badLines: number;
  /** The first of them; the last line that was looked at, unless errors are skipped. */
  readonly firstBad: BadLine | undefined;
}

/** What a thread says before its first answer. */
export const READY = 'ready';

const NEWLINE = 0x0a;
const EMPTY: readonly never[] = [];

/**
 * Makes the function that turns segments into encoded rows.
 * @throws AppError VIEW_INVALID; TABLE_COLUMNS_UNFIT when a column's type cannot hold its values
 */
export function makeSegmentFlattener(job: FlattenJob): (segment: Segment) => FlattenedSegment {
  const view = compileView(job.viewDefinition);
  const encoder = makeSegmentEncoder(job.format, view.columns);
  const parse =
    encoder.needsExactDecimals || view.needsExactDecimals === true ? onText(parseExactly) : makeParser(job.viewDefinition);

  return (segment) => {
    const bytes = Buffer.from(segment.buffer, 0, segment.sizeBytes);
    const isClean = isUtf8(bytes);
    // A byte order mark, which some programs write at the beginning of a file.
    const hasMark = bytes.length > 2 && bytes.readUIntBE(0, 3) === 0xefbbbf;
    const counts = { lines: 0, resources: 0, otherTypes: 0, rows: 0, badLines: 0 };
    let firstBad: BadLine | undefined;
    for (let start = hasMark ? 3 : 0; start < bytes.length;) {
      const newline = bytes.indexOf(NEWLINE, start);
      const end = newline < 0 ? bytes.length : newline;
      counts.lines++;
      try {
        if (!isClean && !isUtf8(bytes.subarray(start, end))) throw badLine('it is not UTF-8');
        const resource = isBlank(bytes, start, end) ? undefined : parseResource(parse, bytes, start, end);
        if (resource !== undefined) {
          const isOfView = resource.resourceType === view.resourceType;
          const rows = isOfView ? view.evaluate(resource) : EMPTY;
          encoder.add(rows);
          counts.resources++;
          counts.rows += rows.length;
          if (!isOfView) counts.otherTypes++;
        }
      } catch (error) {
        if (!isAppError(error)) throw error;
        counts.badLines++;
        firstBad ??= { line: counts.lines, code: error.code, message: error.message };
        if (!job.skipErrors) break;
      }
      start = end + 1;
    }
    return { ...counts, firstBad, ...encoder.finish() };
  };
}

/** Reads no more of a resource than the view can see, where that can be told. */
function makeParser(viewDefinition: unknown): ParseLine {
  const names = findNeededNames(viewDefinition);
  return names === undefined ? onText(JSON.parse) : makeProjectingParser(names);
}

function onText(parse: (text: string) => unknown): ParseLine {
  return (bytes, start, end) => parse(bytes.toString('utf8', start, end));
}

function parseResource(parse: ParseLine, bytes: Buffer, start: number, end: number): Resource {
  let value: unknown;
  try {
    value = parse(bytes, start, end);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // The message of JSON.parse quotes the text.
    throw badLine('it is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw badLine('it is not a JSON object');
  if (typeof (value as { resourceType?: unknown }).resourceType !== 'string') throw badLine('it has no resourceType');
  return value as Resource;
}

function badLine(found: string): AppError {
  return new AppError('DATA_LINE_INVALID', `${found}; one FHIR resource in JSON was expected`);
}

/** True of lines of white space; the shortest resource is longer than what is looked at. */
function isBlank(bytes: Buffer, start: number, end: number): boolean {
  return end - start < 8 && bytes.toString('utf8', start, end).trim() === '';
}
