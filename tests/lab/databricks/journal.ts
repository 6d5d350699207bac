/** Services of the stand-in. `warehouse` is the SQL warehouse over Thrift, `warehouse-state` its REST routes. */
export type Service = 'token' | 'unity' | 'zerobus' | 'warehouse' | 'warehouse-state';

/** A request and what became of it. Never a secret, a token or a value of a row. */
export interface JournalEntry {
  /** 1, 2, 3 … over all services. */
  readonly number: number;
  /** When the request was complete, ms since the epoch. */
  readonly atMs: number;
  readonly service: Service;
  readonly method: string;
  /** Without the query. For the warehouse: the call, `ExecuteStatement`. */
  readonly path: string;
  /** 0: the connection was cut instead of an answer. */
  readonly status: number;
  readonly durationMs: number;
  readonly requestBytes: number;
  /** Rows that were taken, also when the answer was lost. */
  readonly rows?: number;
  readonly principal?: string;
  /** Which token: its number, in the order of minting. */
  readonly token?: number;
  readonly tokenKind?: 'plain' | 'zerobus' | 'personal';
  /** The fault that struck. */
  readonly fault?: string;
  /** `error_code` or `error` of the answer, or the like of the warehouse. */
  readonly error?: string;
}

export type NewEntry = Omit<JournalEntry, 'number'>;

/** What came to the stand-in, newest last. */
export class Journal {
  private readonly kept: JournalEntry[] = [];
  private readonly counts = new Map<Service, number>();
  private readonly rowCounts = new Map<string, number>();
  private readonly limit: number;
  private last = 0;

  constructor(limit: number) {
    this.limit = limit;
  }

  add(entry: NewEntry): void {
    this.kept.push({ ...entry, number: ++this.last });
    if (this.kept.length > 2 * this.limit) this.kept.splice(0, this.kept.length - this.limit);
    this.counts.set(entry.service, this.count(entry.service) + 1);
    if (entry.rows !== undefined) this.rowCounts.set(entry.path, (this.rowCounts.get(entry.path) ?? 0) + entry.rows);
  }

  /** Requests to a service since the start. */
  count(service: Service): number {
    return this.counts.get(service) ?? 0;
  }

  /** Number of the newest entry: a mark for `entries`. */
  get mark(): number {
    return this.last;
  }

  /** Entries after a mark, of one service or all. */
  entries(filter: { readonly service?: Service; readonly after?: number } = {}): JournalEntry[] {
    return this.kept.filter(
      (entry) => entry.number > (filter.after ?? 0) && (filter.service === undefined || entry.service === filter.service),
    );
  }

  /** Requests by service, and rows by path. */
  get totals(): { readonly requests: Record<string, number>; readonly rows: Record<string, number> } {
    return { requests: Object.fromEntries(this.counts), rows: Object.fromEntries(this.rowCounts) };
  }
}
