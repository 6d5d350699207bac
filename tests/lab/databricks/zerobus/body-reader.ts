import { isUtf8 } from 'node:buffer';
import type { LabSwitches } from '../options.ts';
import type { Row } from '../registry/cells.ts';
import type { StructField } from '../registry/data-type.ts';
import { DecodeError, JsonReader } from './json-reader.ts';
import { makeRecordReader, type RecordReader } from './record-reader.ts';

const [OPEN, CLOSE, COMMA] = [0x5b, 0x5d, 0x2c];

/** More rows than a request may have. */
export class TooManyRows extends Error {}

/** Reads bodies of inserts by the columns of their tables (2.2, 2.5). */
export class BodyReader {
  private readonly readers = new WeakMap<readonly StructField[], RecordReader>();
  private readonly switches: LabSwitches;

  constructor(switches: LabSwitches) {
    this.switches = switches;
  }

  /**
   * The rows of a body, all or none.
   *
   * @param keep without it the rows are checked and counted, and the list stays empty
   * @throws DecodeError for the first thing that is not allowed; TooManyRows
   */
  read(body: Buffer, columns: readonly StructField[], keep: boolean): { readonly rows: Row[]; readonly count: number } {
    const json = new JsonReader(body.toString('utf8'));
    if (!isUtf8(body)) throw new DecodeError('invalid unicode code point', '', 0);
    const readRecord = this.readerOf(columns);
    const rows: Row[] = [];
    let count = 0;
    json.expect(OPEN, 'invalid type, expected a sequence');
    if (!json.take(CLOSE)) {
      do {
        if (++count > this.switches.maxRequestRows) throw new TooManyRows();
        json.next();
        const start = json.at;
        const row = readRecord(json, {});
        this.checkLength(json, start);
        if (keep) rows.push(row);
      } while (json.take(COMMA));
      json.expect(CLOSE, 'expected `,` or `]`');
    } else if (this.switches.emptyArray === 'refused') {
      throw json.fail('an array without a record');
    }
    if (!Number.isNaN(json.next())) throw json.fail('trailing characters');
    return { rows, count };
  }

  private checkLength(json: JsonReader, start: number): void {
    const max = this.switches.maxRecordBytes;
    const length = json.at - start;
    if (length * 3 <= max) return; // no character of UTF-16 takes more bytes
    if (Buffer.byteLength(json.text.slice(start, json.at)) > max) throw json.fail(`record longer than ${max} bytes`, start);
  }

  private readerOf(columns: readonly StructField[]): RecordReader {
    const found = this.readers.get(columns);
    if (found !== undefined) return found;
    const reader = makeRecordReader(columns, this.switches);
    this.readers.set(columns, reader);
    return reader;
  }
}
