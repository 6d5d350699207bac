import type { Row } from '../registry/cells.ts';
import type { Registry } from '../registry/registry.ts';
import type { Table } from '../registry/table.ts';

/** Rows that could not be brought into their table: it was dropped, or changed so that they do not fit (2.6). */
export interface StuckRows {
  readonly table: string;
  readonly rows: number;
  readonly reason: string;
}

interface Pending {
  readonly table: Table;
  batches: (readonly Row[])[];
  timer: NodeJS.Timeout | undefined;
}

/** Rows of one commit at most: a commit holds the process up while it is written. */
const COMMIT_ROWS = 20_000;

/** What was acknowledged and is not in the tables yet. */
export class WriteAheadLog {
  /** Rows acknowledged (or taken, when the answer was lost) by table name. Never goes down. */
  readonly accepted = new Map<string, number>();
  readonly stuck: StuckRows[] = [];
  private readonly pending = new Map<string, Pending>();
  private readonly flushes = new Set<Promise<void>>();
  private readonly registry: Registry;
  private readonly visibilityDelayMs: () => number;

  constructor(registry: Registry, visibilityDelayMs: () => number) {
    this.registry = registry;
    this.visibilityDelayMs = visibilityDelayMs;
  }

  /** Take rows; `rows` is empty when they are only counted. */
  add(table: Table, rows: readonly Row[], count: number): void {
    const { fullName, tableId } = table.facts;
    this.accepted.set(fullName, (this.accepted.get(fullName) ?? 0) + count);
    if (rows.length === 0) return;
    const pending = this.pending.get(tableId) ?? { table, batches: [], timer: undefined };
    this.pending.set(tableId, pending);
    pending.batches.push(rows);
    pending.timer ??= setTimeout(() => this.start(pending), this.visibilityDelayMs());
  }

  /** Bring everything that was taken into the tables now. */
  async settle(): Promise<void> {
    for (const pending of this.pending.values()) this.start(pending);
    while (this.flushes.size > 0) await Promise.all(this.flushes);
  }

  private start(pending: Pending): void {
    clearTimeout(pending.timer);
    pending.timer = undefined;
    const { batches } = pending;
    pending.batches = [];
    if (batches.length === 0) return;
    const flush = this.flush(pending.table, batches).finally(() => this.flushes.delete(flush));
    this.flushes.add(flush);
  }

  private async flush(table: Table, batches: readonly (readonly Row[])[]): Promise<void> {
    let rows: Row[] = [];
    for (const [index, batch] of batches.entries()) {
      rows = rows.concat(batch);
      const next = batches[index + 1];
      if (next !== undefined && rows.length + next.length <= COMMIT_ROWS) continue;
      await this.append(table, rows);
      rows = [];
    }
  }

  private async append(table: Table, rows: readonly Row[]): Promise<void> {
    const { fullName, tableId } = table.facts;
    try {
      await this.registry.exclusively(fullName, async () => {
        if (this.registry.findTable(fullName)?.facts.tableId !== tableId) throw new Error('the table was dropped');
        if (table.delta === undefined) throw new Error('the files of the table are not on this machine');
        table.delta.append(rows, 'STREAMING UPDATE');
      });
    } catch (error) {
      this.stuck.push({ table: fullName, rows: rows.length, reason: error instanceof Error ? error.message : String(error) });
    }
  }
}
