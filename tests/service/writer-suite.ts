import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { AppError } from '../../app/errors/app-error.ts';
import { makeRowEncoder } from '../../app/rows/row-encoder.ts';
import type { Row, TableColumn } from '../../app/rows/table-type.ts';
import { parseExactly } from '../../app/view/exact-json.ts';
import type { Resource } from '../../app/view/compiled-view.ts';
import type { PreparedEvent, Writer, WriteGuard } from '../../app/writers/writer.ts';
import { filledTable } from '../helpers/arbitrary-table.ts';
import { TYPES_COLUMNS, TYPES_PATIENT, TYPES_ROW, TYPES_VIEW } from '../helpers/fhir-types.ts';
import { toReaderForm } from '../helpers/reader-form.ts';
import { asMultiset, type DeltaRow } from '../helpers/services/delta-reader.ts';

/** A write mode and a place for its tables. */
export interface WriterHarness {
  readonly name: string;
  /** False where lists with null and the like have no form. */
  readonly takesNullInLists: boolean;
  start(): Promise<void>;
  stop(): Promise<void>;
  /** Makes an empty table with these columns. */
  makeTable(columns: readonly TableColumn[]): Promise<TableUnderTest>;
}

export interface TableUnderTest {
  /** A writer of its own, as another process would have it. */
  makeWriter(): Promise<Writer>;
  /** As an independent reader sees them. */
  rows(): Promise<DeltaRow[]>;
}

const COLUMNS: readonly TableColumn[] = [
  { name: 'id', type: { kind: 'string' }, nullable: true },
  { name: 'n', type: { kind: 'integer' }, nullable: true },
];
const TIMEOUT_MS = 60_000;
const seed = Number(process.env['SEED'] ?? Date.now() % 1_000_000);

let last = 0;
/** Keys as real ones are: 16 characters. */
function anEvent(rows: readonly Row[], resource?: string): PreparedEvent {
  const key = `suite-${String((last += 1)).padStart(10, '0')}`;
  const coverage = { kind: 'since', lastUpdatedMicros: 1_700_000_000_000_000n + BigInt(last) } as const;
  return { key, resource: resource ?? `Patient/${key}`, coverage, content: { kind: 'rows', rows } };
}

function aGuard(isHeld: () => boolean = () => true): WriteGuard {
  return {
    signal: new AbortController().signal,
    check: async () => {
      if (!isHeld()) throw new AppError('LEASE_LOST', 'another process has it');
    },
    checkQuarantine: async () => undefined,
  };
}

/** What every writer promises, whatever it writes to. */
export function describeWriter(harness: WriterHarness): void {
  describe(`the writer of ${harness.name} (SEED=${seed})`, () => {
    const writers: Writer[] = [];
    beforeAll(() => harness.start(), TIMEOUT_MS);
    afterAll(async () => {
      for (const writer of writers) await writer.close();
      await harness.stop();
    }, TIMEOUT_MS);

    async function open(table: TableUnderTest): Promise<Writer> {
      const writer = await table.makeWriter();
      writers.push(writer);
      await writer.open(undefined);
      return writer;
    }

    it(
      'brings one row with every FHIR type into the table: before 1970, leap days, long decimals, unicode, nulls',
      async () => {
        const table = await harness.makeTable(TYPES_COLUMNS);
        const encoder = makeRowEncoder(TYPES_VIEW, TYPES_COLUMNS);
        const rows = encoder.encode(TYPES_VIEW.evaluate(parseExactly(TYPES_PATIENT) as Resource), {
          ...{ eventKey: 'e', versionId: '1', action: 'create', receivedAtMs: 0, correlationId: undefined },
        });
        await (await open(table)).write([anEvent(rows)], aGuard());
        expect(asMultiset(await table.rows())).toEqual(asMultiset([TYPES_ROW]));
      },
      TIMEOUT_MS,
    );

    it(
      'brings any values of any types there',
      async () => {
        const aTable = filledTable.filter(({ rows }) => rows.length > 0 && (harness.takesNullInLists || !hasNullInList(rows)));
        await fc.assert(
          fc.asyncProperty(aTable, async ({ columns, rows }) => {
            const table = await harness.makeTable(columns);
            const writer = await open(table);
            const { outcomes } = await writer.write(
              rows.map((row) => anEvent([row])),
              aGuard(),
            );
            expect(outcomes).toEqual(rows.map(() => 'written'));
            expect(asMultiset(await table.rows())).toEqual(asMultiset(rows.map((row) => readForm(columns, row))));
          }),
          { seed, numRuns: 12 },
        );
      },
      TIMEOUT_MS,
    );

    it(
      'writes all rows of each event, and says of each what became of it',
      async () => {
        const table = await harness.makeTable(COLUMNS);
        const writer = await open(table);
        const bad: PreparedEvent = {
          ...anEvent([]),
          content: { kind: 'rejected', code: 'VALUE_NOT_CONVERTIBLE', reason: 'bad' },
        };
        const events = [
          anEvent([
            ['a', 1],
            ['a', 2],
            ['a', 3],
          ]),
          bad,
          anEvent([['b', 1]]),
        ];
        const result = await writer.write(events, aGuard());
        expect(result).toMatchObject({ outcomes: ['written', 'quarantined', 'written'], rows: 4, hasWritten: true });
        expect(asMultiset(await table.rows())).toEqual(
          asMultiset([...[1, 2, 3].map((n) => ({ id: 'a', n })), { id: 'b', n: 1 }]),
        );
      },
      TIMEOUT_MS,
    );

    it(
      'writes large batches with many versions of few resources whole',
      async () => {
        const table = await harness.makeTable(COLUMNS);
        const writer = await open(table);
        const events = Array.from({ length: 3_000 }, (_, n) => anEvent([[`p-${n % 40}`, n]], `Patient/p-${n % 40}`));
        const { rows } = await writer.write(events, aGuard());
        expect(rows).toBe(3_000);
        expect((await table.rows()).map(({ n }) => Number(n)).sort((a, b) => a - b)).toEqual(events.map((_, n) => n));
      },
      TIMEOUT_MS,
    );

    it(
      'adds nothing for an event that it has written',
      async () => {
        const table = await harness.makeTable(COLUMNS);
        const writer = await open(table);
        const [first, second, third] = [anEvent([['a', 1]]), anEvent([['b', 2]]), anEvent([['c', 3]])];
        await writer.write([first, second], aGuard());
        const { outcomes } = await writer.write([second, third, first], aGuard());
        expect(outcomes).toEqual(['written-before', 'written', 'written-before']);
        expect(writer.holds(first.key, first.coverage)).toBe(true);
        expect(await table.rows()).toHaveLength(3);
      },
      TIMEOUT_MS,
    );

    it(
      'writes nothing once another process has the destination, and goes on when it has it back',
      async () => {
        const table = await harness.makeTable(COLUMNS);
        const writer = await open(table);
        let isHeld = false;
        const event = anEvent([['a', 1]]);
        await expect(
          writer.write(
            [event],
            aGuard(() => isHeld),
          ),
        ).rejects.toMatchObject({ code: 'LEASE_LOST' });
        expect(await table.rows()).toEqual([]);
        isHeld = true;
        await writer.open(writer.checkpoint());
        await writer.write(
          [event],
          aGuard(() => isHeld),
        );
        expect(await table.rows()).toHaveLength(1);
      },
      TIMEOUT_MS,
    );

    it(
      'goes on where another process ended',
      async () => {
        const table = await harness.makeTable(COLUMNS);
        const first = await open(table);
        await first.write([anEvent([['a', 1]])], aGuard());
        const second = await table.makeWriter();
        writers.push(second);
        const { columns, storeLoss } = await second.open(first.checkpoint());
        expect(columns.map(({ name }) => name)).toEqual(['id', 'n']);
        expect(storeLoss).toBeUndefined();
        await second.write([anEvent([['b', 2]])], aGuard());
        expect(await table.rows()).toHaveLength(2);
      },
      TIMEOUT_MS,
    );
  });
}

function hasNullInList(rows: readonly Row[]): boolean {
  return rows.some((row) => row.some((value) => Array.isArray(value) && value.includes(null)));
}

function readForm(columns: readonly TableColumn[], row: Row): DeltaRow {
  return Object.fromEntries(
    columns.map(({ name, type }, index) => [name, toReaderForm(type, row[index] ?? null) as DeltaRow[string]]),
  );
}
