import { beforeEach, describe, expect, it } from '@jest/globals';
import { AppError } from '../../../../app/errors/app-error.ts';
import type { ErrorCode } from '../../../../app/errors/catalogue.ts';
import { systemClock } from '../../../../app/lib/clock.ts';
import type { TableColumn } from '../../../../app/rows/table-type.ts';
import { makeManagedWriter } from '../../../../app/writers/managed/managed-writer.ts';
import { RecentKeys } from '../../../../app/writers/managed/recent-keys.ts';
import type { RowSender } from '../../../../app/writers/managed/row-sender.ts';
import type { PreparedEvent, Writer, WriteGuard } from '../../../../app/writers/writer.ts';

const ID: TableColumn = { name: 'id', type: { kind: 'string' }, nullable: true };
const SIZE: TableColumn = { name: 'size', type: { kind: 'integer' }, nullable: true };
const EXTRA: TableColumn = { name: 'extra', type: { kind: 'string' }, nullable: true };

/** A table and its two sides: `refuse` plays the server. */
class Target {
  columns: TableColumn[] = [ID, SIZE];
  wanted: readonly TableColumn[] = [ID, SIZE];
  reads = 0;
  added: string[] = [];
  requests = 0;
  rows: string[] = [];
  repeated = 0;
  renewals = 0;
  /** A row that the sender has no form for. */
  unfit: { readonly id: string; readonly code: ErrorCode } | undefined;
  monotonicMs = 1_000_000;
  refuse: (rows: readonly string[]) => ErrorCode | undefined = () => undefined;
  errorClass = 'SOME_CLASS';
  quarantineRoom = Infinity;
  readonly recent = new RecentKeys();
  readonly guard: WriteGuard = {
    signal: new AbortController().signal,
    check: async () => undefined,
    checkQuarantine: async (entries) => {
      if (entries > this.quarantineRoom) throw new AppError('QUARANTINE_FULL', 'full');
    },
  };

  writer(limits: Partial<RowSender['limits']> = {}): Writer {
    return makeManagedWriter({
      sender: {
        limits: { maxRows: 10, maxBytes: 10_000, maxRequests: 3, splitsEvents: true, ...limits },
        makeRowEncoder: (columns) => (row) => {
          if (this.unfit !== undefined && row[0] === this.unfit.id) throw new AppError(this.unfit.code, 'a value does not fit');
          return JSON.stringify(Object.fromEntries(columns.map(({ name }, index) => [name, row[index]])));
        },
        send: async (_columns, rows) => {
          this.requests += 1;
          await new Promise((resolve) => setImmediate(resolve));
          const code = this.refuse(rows);
          if (code !== undefined) throw new AppError(code, 'the server says no', { facts: { errorClass: this.errorClass } });
          for (const row of rows) this.rows.push(row);
        },
        isRepeatable: () => false,
        renew: () => (this.renewals += 1),
        close: async () => undefined,
      },
      table: {
        readColumns: async () => ((this.reads += 1), { columns: [...this.columns], unsupported: [] }),
        addColumns: async (columns) => {
          this.added.push(...columns.map(({ name }) => name));
          this.columns.push(...columns);
        },
        close: async () => undefined,
      },
      plan: {
        findMissing: ({ columns }) => this.wanted.filter(({ name }) => !columns.some((column) => column.name === name)),
        choose: (columns) => columns.filter(({ name }) => this.wanted.some((column) => column.name === name)),
      },
      recent: this.recent,
      onRepeated: (rows) => (this.repeated += rows),
      clock: { ...systemClock, monotonic: () => this.monotonicMs },
    });
  }

  /** `id` of each row that arrived. */
  ids(): string[] {
    return this.rows.map((row) => (JSON.parse(row) as { id: string }).id);
  }
}

function someEvents(count: number, from = 0): PreparedEvent[] {
  return Array.from({ length: count }, (_, index) => ({
    key: `key-${from + index}`,
    resource: `Patient/${from + index}`,
    coverage: { kind: 'ever' },
    content: { kind: 'rows', rows: [[`p-${from + index}`, from + index]] },
  }));
}

const holds =
  (...ids: string[]) =>
  (rows: readonly string[]): ErrorCode | undefined =>
    rows.some((row) => ids.some((id) => row.includes(`"${id}"`))) ? 'DATABRICKS_ROW_REFUSED' : undefined;

describe('the writer of managed tables', () => {
  let target: Target;
  beforeEach(() => {
    target = new Target();
  });

  it('opens a table with one statement, and with none when its columns are known', async () => {
    await target.writer().open(undefined);
    expect(target.reads).toBe(1);
  });

  it('adds the columns that the table lacks, and says which ones it does not fill', async () => {
    target.wanted = [ID, EXTRA];
    const { columns, warnings } = await target.writer().open(undefined);
    expect(target.added).toEqual(['extra']);
    expect(columns.map(({ name }) => name)).toEqual(['id', 'extra']);
    expect(warnings).toEqual([expect.stringContaining('size')]);
  });

  it('quarantines what the server refuses, and writes everything else once', async () => {
    const writer = target.writer();
    await writer.open(undefined);
    target.refuse = holds('p-7', 'p-31', 'p-32');
    const events = someEvents(50);
    const result = await writer.write(events, target.guard);
    expect(events.filter((_, index) => result.outcomes[index] === 'quarantined').map(({ key }) => key)).toEqual([
      'key-7',
      'key-31',
      'key-32',
    ]);
    expect([...result.rejections!.values()].map(({ code }) => code)).toEqual(Array(3).fill('DATABRICKS_ROW_REFUSED'));
    expect(target.ids().sort()).toEqual(
      someEvents(50)
        .map((_, index) => `p-${index}`)
        .filter((id) => !['p-7', 'p-31', 'p-32'].includes(id))
        .sort(),
    );
    expect(result.rows).toBe(47);
    expect(target.reads).toBe(2); // the columns were read once more to explain the refusal
  });

  it.each([
    ['Zerobus', { maxRows: 500, maxBytes: 3_500_000, maxRequests: 16 }],
    ['statements', { maxRows: Infinity, maxBytes: 8_000_000, maxRequests: 1, splitsEvents: false }],
  ])('finds one bad row among 10,000 with at most 2·log2(n) further requests by %s', async (_what, limits) => {
    const good = target.writer(limits);
    await good.open(undefined);
    await good.write(someEvents(10_000, 20_000), target.guard);
    const needed = target.requests;
    for (const bad of [0, 4_999, 5_000, 9_999]) {
      target = new Target();
      const writer = target.writer(limits);
      await writer.open(undefined);
      target.refuse = holds(`p-${bad}`);
      const { outcomes, rejections } = await writer.write(someEvents(10_000), target.guard);
      expect(outcomes.filter((outcome) => outcome === 'written')).toHaveLength(9_999);
      expect([...rejections!.keys()]).toEqual([`key-${bad}`]);
      expect(new Set(target.ids()).size).toBe(9_999);
      expect(target.ids()).toHaveLength(9_999);
      expect(target.requests - needed).toBeLessThanOrEqual(2 * Math.log2(10_000));
    }
  });

  it.each(['VALUE_NOT_CONVERTIBLE', 'SQL_ROW_REFUSED'] as const)(
    'quarantines an event for which the sender has no form (%s), within the bound, and writes the others',
    async (code) => {
      const writer = target.writer();
      await writer.open(undefined);
      target.unfit = { id: 'p-2', code };
      const { outcomes, rejections } = await writer.write(someEvents(4), target.guard);
      expect(outcomes).toEqual(['written', 'written', 'quarantined', 'written']);
      expect(rejections!.get('key-2')).toMatchObject({ code });
      target.unfit = { id: 'p-9', code };
      target.quarantineRoom = 0;
      await expect(writer.write(someEvents(2, 8), target.guard)).rejects.toMatchObject({ code: 'QUARANTINE_FULL' });
    },
  );

  it('does not send again what was taken when a part of the batch failed', async () => {
    const writer = target.writer({ maxRequests: 1 });
    await writer.open(undefined);
    target.refuse = (rows) => (rows.some((row) => row.includes('"p-25"')) ? 'DATABRICKS_THROTTLED' : undefined);
    await expect(writer.write(someEvents(40), target.guard)).rejects.toMatchObject({ code: 'DATABRICKS_THROTTLED' });
    await writer.open(undefined);
    expect(target.reads).toBe(1);
    target.refuse = () => undefined;
    const result = await writer.write(someEvents(40), target.guard);
    expect(result.outcomes).toEqual(Array(40).fill('written'));
    expect(target.ids()).toEqual(someEvents(40).map((_, index) => `p-${index}`));
  });

  it('knows an event that comes again after its batch, or twice in one', async () => {
    const writer = target.writer();
    await writer.open(undefined);
    await writer.write(someEvents(5), target.guard);
    const { outcomes } = await writer.write([...someEvents(2, 3), ...someEvents(1, 4)], target.guard);
    expect(outcomes).toEqual(['written-before', 'written-before', 'written-before']);
    const twice = await writer.write([...someEvents(1, 9), ...someEvents(1, 9)], target.guard);
    expect(twice.outcomes).toEqual(['written', 'written-before']);
    expect(target.ids()).toEqual(['p-0', 'p-1', 'p-2', 'p-3', 'p-4', 'p-9']);
    expect(writer.holds('key-9', { kind: 'ever' })).toBe(true);
    expect(writer.holds('key-10', { kind: 'ever' })).toBeUndefined();
  });

  it('counts the rows that it sends again after a lost answer', async () => {
    const writer = target.writer();
    await writer.open(undefined);
    target.refuse = () => 'DATABRICKS_ANSWER_LOST';
    await expect(writer.write(someEvents(4), target.guard)).rejects.toMatchObject({ code: 'DATABRICKS_ANSWER_LOST' });
    expect(target.repeated).toBe(4);
  });

  it('stops, and quarantines nothing more, when the server takes no event at all', async () => {
    const writer = target.writer();
    await writer.open(undefined);
    target.refuse = () => 'DATABRICKS_ROW_REFUSED';
    await expect(writer.write(someEvents(60), target.guard)).rejects.toMatchObject({
      code: 'DATABRICKS_ALL_ROWS_REFUSED',
      retry: 'never',
    });
    expect(target.rows).toEqual([]);
    expect(target.requests).toBeLessThan(200);
    for (let attempt = 0; attempt < 8; attempt++) {
      await writer.open(undefined);
      await expect(writer.write(someEvents(60), target.guard)).rejects.toMatchObject({ code: 'DATABRICKS_ALL_ROWS_REFUSED' });
    }
    target.refuse = () => undefined; // somebody mended the table
    await writer.open(undefined);
    const { outcomes } = await writer.write(someEvents(60), target.guard);
    expect(outcomes).toEqual(Array(60).fill('written'));
    expect(target.ids()).toHaveLength(60);
  });

  it('stops likewise when a table that took rows takes none any more, and when events come one by one', async () => {
    const writer = target.writer();
    await writer.open(undefined);
    await writer.write(someEvents(30), target.guard);
    target.refuse = () => 'DATABRICKS_ROW_REFUSED';
    await expect(writer.write(someEvents(60, 100), target.guard)).rejects.toMatchObject({ code: 'DATABRICKS_ALL_ROWS_REFUSED' });
    let stopped = 0;
    let quarantined = 0;
    for (let index = 0; index < 30; index++) {
      await writer.open(undefined);
      const result = await writer.write(someEvents(1, 200 + index), target.guard).catch(() => undefined);
      if (result === undefined) stopped += 1;
      else quarantined += 1;
    }
    expect({ stopped, quarantined }).toEqual({ stopped: 30, quarantined: 0 });
  });

  it('sends again only the part that is missing of an event that needs several requests', async () => {
    const writer = target.writer({ maxRequests: 1 });
    await writer.open(undefined);
    const [event] = someEvents(1) as [PreparedEvent];
    const many: PreparedEvent = {
      ...event,
      content: { kind: 'rows', rows: Array.from({ length: 35 }, (_, index) => [`many-${index}`, index]) },
    };
    target.refuse = (rows) => (rows.some((row) => row.includes('"many-25"')) ? 'DATABRICKS_THROTTLED' : undefined);
    await expect(writer.write([many], target.guard)).rejects.toMatchObject({ code: 'DATABRICKS_THROTTLED' });
    target.refuse = () => undefined;
    await writer.open(undefined);
    await writer.write([many], target.guard);
    expect(target.ids()).toEqual(Array.from({ length: 35 }, (_, index) => `many-${index}`));
  });

  it('does not blame events for columns that turn out to be others while a bad row is being found', async () => {
    const writer = target.writer();
    await writer.open(undefined);
    target.refuse = (rows) =>
      rows.length > 5
        ? 'DATABRICKS_ROW_REFUSED'
        : rows.some((row) => row.includes('"p-3"'))
          ? 'DATABRICKS_SCHEMA_DIFFERS'
          : undefined;
    await expect(writer.write(someEvents(10), target.guard)).rejects.toMatchObject({ code: 'DATABRICKS_SCHEMA_NOT_VISIBLE' });
  });

  it('takes events with very many rows', async () => {
    const writer = target.writer({ maxBytes: 1_000_000_000, maxRows: Infinity });
    await writer.open(undefined);
    const [event] = someEvents(1) as [PreparedEvent];
    const rows = Array.from({ length: 150_000 }, (_, index) => ['x', index]);
    const { outcomes } = await writer.write([{ ...event, content: { kind: 'rows', rows } }], target.guard);
    expect(outcomes).toEqual(['written']);
  });

  it('goes on beside many bad events as soon as one good one is found', async () => {
    const writer = target.writer();
    await writer.open(undefined);
    target.refuse = holds(...Array.from({ length: 30 }, (_, index) => `p-${index}`));
    const { outcomes } = await writer.write(someEvents(60), target.guard);
    expect(outcomes).toEqual([...Array<string>(30).fill('quarantined'), ...Array<string>(30).fill('written')]);
    expect(target.ids()).toHaveLength(30);
    expect(new Set(target.ids()).size).toBe(30);
  });

  it('waits for a person when the quarantine is full', async () => {
    const writer = target.writer();
    await writer.open(undefined);
    target.refuse = holds('p-3');
    target.quarantineRoom = 0;
    await expect(writer.write(someEvents(9), target.guard)).rejects.toMatchObject({ code: 'QUARANTINE_FULL' });
  });

  it('forms the batch again when the columns of the table turn out to be others', async () => {
    const writer = target.writer();
    await writer.open(undefined);
    target.refuse = () => 'DATABRICKS_ROW_REFUSED';
    target.columns = [ID];
    await expect(writer.write(someEvents(3), target.guard)).rejects.toMatchObject({ code: 'TABLE_SCHEMA_CHANGED' });
    await writer.open(undefined);
    expect(target.added).toEqual(['size']);
  });

  it('waits while a column that was added is not known everywhere, and quarantines nothing for it', async () => {
    target.wanted = [ID, SIZE, EXTRA];
    const writer = target.writer();
    await writer.open(undefined);
    for (const code of ['DATABRICKS_SCHEMA_DIFFERS', 'DATABRICKS_ROW_REFUSED'] as const) {
      target.refuse = () => code;
      await expect(writer.write(someEvents(3), target.guard)).rejects.toMatchObject({
        code: 'DATABRICKS_SCHEMA_NOT_VISIBLE',
        retry: 'later',
      });
    }
    expect(target.renewals).toBe(2);
    target.monotonicMs += 61_000;
    target.refuse = holds('p-1');
    const { outcomes } = await writer.write(someEvents(3), target.guard);
    expect(outcomes).toEqual(['written', 'quarantined', 'written']);
  });

  it('stops, for a person to see, when a warehouse refuses the columns that the table has', async () => {
    const writer = target.writer();
    await writer.open(undefined);
    target.refuse = () => 'SQL_SCHEMA_DIFFERS';
    await expect(writer.write(someEvents(3), target.guard)).rejects.toMatchObject({
      code: 'SQL_COLUMNS_REFUSED',
      retry: 'never',
      facts: { errorClass: 'SOME_CLASS' },
    });
    expect(target.requests).toBe(1);
    // The next attempt looks at the table first.
    const { reads } = target;
    await writer.open(undefined);
    expect(target.reads).toBe(reads + 1);
  });

  it('tries again by itself when the columns changed while the statement ran', async () => {
    const writer = target.writer();
    await writer.open(undefined);
    target.errorClass = 'DELTA_METADATA_CHANGED';
    target.refuse = () => 'SQL_SCHEMA_DIFFERS';
    await expect(writer.write(someEvents(3), target.guard)).rejects.toMatchObject({ code: 'SQL_SCHEMA_DIFFERS', retry: 'later' });
  });

  it('rejects alone the event whose row is larger than a request, and splits one with many rows', async () => {
    const writer = target.writer();
    await writer.open(undefined);
    const [large, many, plain] = someEvents(3) as [PreparedEvent, PreparedEvent, PreparedEvent];
    const { outcomes } = await writer.write(
      [
        { ...large, content: { kind: 'rows', rows: [['x'.repeat(20_000), 1]] } },
        { ...many, content: { kind: 'rows', rows: Array.from({ length: 35 }, (_, index) => [`many-${index}`, index]) } },
        plain,
      ],
      target.guard,
    );
    expect(outcomes).toEqual(['quarantined', 'written', 'written']);
    expect(target.ids()).toHaveLength(36);
    expect(target.requests).toBe(5);
  });

  it('asks for less at once while the server is throttling', async () => {
    const writer = target.writer({ maxRequests: 8 });
    await writer.open(undefined);
    await writer.write(someEvents(1), target.guard);
    target.requests = 0;
    target.refuse = () => 'DATABRICKS_THROTTLED';
    await expect(writer.write(someEvents(200, 1), target.guard)).rejects.toMatchObject({ code: 'DATABRICKS_THROTTLED' });
    const first = target.requests;
    expect(first).toBe(8);
    await writer.open(undefined);
    await expect(writer.write(someEvents(200, 1), target.guard)).rejects.toMatchObject({ code: 'DATABRICKS_THROTTLED' });
    expect(target.requests - first).toBeLessThan(first);
  });
});
