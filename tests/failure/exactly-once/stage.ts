import { randomUUID } from 'node:crypto';
import { expect } from '@jest/globals';
import { scopeOf } from '../../../app/destinations/destination.ts';
import { createTable } from '../../../app/delta/create-table.ts';
import { commitPath } from '../../../app/delta/log-path.ts';
import { AppError } from '../../../app/errors/app-error.ts';
import type { Clock } from '../../../app/lib/clock.ts';
import type { DestinationQueue, Lease } from '../../../app/queue/queue-store.ts';
import { makeRowEncoder } from '../../../app/rows/row-encoder.ts';
import type { TableColumn } from '../../../app/rows/table-type.ts';
import { compileView } from '../../../app/view/compile-view.ts';
import type { CompiledView } from '../../../app/view/compiled-view.ts';
import { beginIncarnation } from '../../../app/writers/external-direct/begin-incarnation.ts';
import { makeApplication, type Application } from '../../../app/writers/external-direct/commit-record.ts';
import { makeExternalDirectWriter } from '../../../app/writers/external-direct/external-direct-writer.ts';
import { makeMemoryObjectStore, type MemoryObjectStore } from '../../helpers/memory-object-store.ts';
import { aColumn } from '../../helpers/views.ts';
import { ActingOwner } from './acting-owner.ts';
import { eventsOf, SendingAidbox, StageTime } from './aidbox.ts';
import { Gate } from './gate.ts';
import { gateClock, gateObjectStore, gateQueue } from './gated-parts.ts';
import { cleanUpLog, commitVersions } from './log-clean-up.ts';
import type { QueueBackend } from './queue-backend.ts';
import { goodVerdict, judgeTable, type Verdict } from './verdict.ts';

const COLUMNS: readonly TableColumn[] = [
  { name: 'id', type: { kind: 'string' }, nullable: true },
  { name: 'is_deleted', type: { kind: 'integer' }, nullable: true },
];
const VIEW = compileView(aColumn('id', { name: 'id' }));
/** Leases end when the trace says so, not by time. */
const LEASE_MS = 3_600_000;

export interface OwnerTraits {
  /** Events of one batch, at most. */
  readonly batchSize?: number;
  /** Events that this owner judges bad. */
  readonly findsBad?: readonly string[];
  /** Longest wait for more events; the clock stands still unless the trace moves it. */
  readonly sendIntervalMs?: number;
  readonly maxWindowKeys?: number;
}

/**
 * One table, one queue store, one destination and its owners. Everything is the product's own but Aidbox, the object store in memory, and
 * time. Traces move it; `endsWith` lets everything go on without faults and judges the end.
 */
export class Stage {
  readonly time = new StageTime();
  readonly aidbox: SendingAidbox;
  readonly table: MemoryObjectStore = makeMemoryObjectStore();
  private readonly backend: QueueBackend;
  private readonly destinationId = `d-${randomUUID()}`;
  private readonly emptied: () => Promise<void>;
  private goBack: () => Promise<void> = async () => undefined;
  private readonly owners: ActingOwner[] = [];
  private readonly leases: { readonly owner: ActingOwner; readonly lease: Lease; readonly incarnation: number }[] = [];
  private incarnation = 1;
  private exists = true;
  private travelling: { readonly path: string; readonly body: Uint8Array; readonly incarnation: number } | undefined;
  private readonly removedCommits = new Map<string, Uint8Array>();
  /** Lost by the store itself, or dropped with the destination. */
  private readonly excused = new Set<string>();
  private late = 0;
  private afterDelete = 0;

  private constructor(backend: QueueBackend, emptied: () => Promise<void>) {
    this.backend = backend;
    this.emptied = emptied;
    this.aidbox = new SendingAidbox(this.time, () => this.queueOf(this.incarnation));
  }

  /** An empty table with the first commit of its destination, and a store without jobs. */
  static async open(backend: QueueBackend): Promise<Stage> {
    const stage = new Stage(backend, await backend.copy());
    await createTable(stage.table, COLUMNS, { nowMs: stage.time.nowMs });
    await beginIncarnation(stage.table, stage.applicationOf(1), stage.freeClock());
    return stage;
  }

  /** A worker that will try to own the destination as it is now. */
  owner(name: string, { batchSize = 10, findsBad = [], sendIntervalMs = 0, maxWindowKeys }: OwnerTraits = {}): ActingOwner {
    const gate = new Gate();
    const incarnation = this.incarnation;
    const clock = gateClock(gate, () => this.time.nowMs);
    const view = judging(VIEW, findsBad);
    const store = gateObjectStore(
      gate,
      this.table,
      (path, body) => this.putCommit(path, body, incarnation),
      (path, body) => (this.travelling = { path, body, incarnation }),
    );
    const owner: ActingOwner = new ActingOwner(name, gate, {
      destinationId: this.destinationId,
      memory: { waitingEvents: 0 },
      queue: gateQueue(gate, this.queueOf(incarnation), (lease) => this.leases.push({ owner, lease, incarnation })),
      makeWriter: async () =>
        makeExternalDirectWriter({
          store,
          application: this.applicationOf(incarnation),
          clock,
          chooseColumns: (columns) => makeRowEncoder(view, columns).columns,
          ...(maxWindowKeys === undefined ? {} : { maxWindowKeys }),
        }),
      prepareContext: (columns, writer) => ({
        view,
        encoder: makeRowEncoder(view, columns),
        lastValues: { read: async () => undefined },
        holds: (key, coverage) => writer.holds(key, coverage),
      }),
      batchSize,
      sendIntervalMs,
      leaseMs: LEASE_MS,
      quarantineMaxEntries: 1_000,
      waitForJob: () => gate.pass('waitForJob', async () => undefined),
      clock,
    });
    this.owners.push(owner);
    return owner;
  }

  /** The store takes the lease from `owner`, which does not hear of it. */
  async leaseExpires(owner: ActingOwner): Promise<void> {
    for (const { owner: holder, lease } of this.leases) if (holder === owner) await lease.release();
  }

  /** Everything in the store, leases included. */
  async storeIsCopied(): Promise<void> {
    this.goBack = await this.backend.copy();
  }

  async storeGoesBack(): Promise<void> {
    await this.goBack();
    await this.excuseWhatIsNowhere();
  }

  async storeIsEmptied(): Promise<void> {
    await this.emptied();
    await this.excuseWhatIsNowhere();
  }

  /** Another engine commits something that is not ours. */
  async foreignWriterCommits(...actions: readonly object[]): Promise<void> {
    const lines = [{ commitInfo: { timestamp: this.time.nowMs, operation: 'OPTIMIZE' } }, ...actions];
    const body = lines.map((line) => `${JSON.stringify(line)}\n`).join('');
    await this.table.putIfAbsent(commitPath(this.head() + 1), new TextEncoder().encode(body));
  }

  /** The `metaData` action with which the table was made. */
  async firstMetaData(): Promise<Readonly<Record<string, unknown>> & { readonly schemaString: string }> {
    const lines = new TextDecoder().decode(await this.table.read(commitPath(0))).split('\n');
    const line = lines.find((each) => each.startsWith('{"metaData"'))!;
    return (JSON.parse(line) as { metaData: { schemaString: string } }).metaData;
  }

  /** Another engine writes a checkpoint and removes every commit below the newest. */
  logIsCleanedUp(): void {
    for (const [path, body] of cleanUpLog(this.table)) this.removedCommits.set(path, body);
  }

  /** The table goes back by one commit. */
  async tableGoesBack(): Promise<void> {
    const rowsBefore = (await this.verdictOfTable()).table;
    this.table.objects.delete(commitPath(this.head()));
    const rows = (await this.verdictOfTable()).table;
    for (const event of rowsBefore) if (!rows.includes(event)) this.excused.add(event);
  }

  /** The put whose sender gave up reaches the store. */
  async travellingPutArrives(): Promise<void> {
    if (this.travelling === undefined) return;
    const { path, body, incarnation } = this.travelling;
    this.travelling = undefined;
    await this.putCommit(path, body, incarnation);
  }

  /** By its user: Aidbox sends nothing more, what waits is dropped. */
  async destinationIsDeleted(): Promise<void> {
    this.exists = false;
    const { table } = await this.verdictOfTable();
    for (const event of this.aidbox.accepted) if (!table.includes(event)) this.excused.add(event);
    this.aidbox.unacknowledged.clear();
    await this.queueOf(this.incarnation).drop();
  }

  async destinationIsCreatedAgain(): Promise<void> {
    this.incarnation += 1;
    await beginIncarnation(this.table, this.applicationOf(this.incarnation), this.freeClock());
    this.exists = true;
  }

  /** Lets all go on without faults: paused owners, travelling puts, Aidbox's repetitions, at last a new owner. Then judges. */
  async endsWith(said: Partial<Verdict>): Promise<void> {
    for (const owner of this.living()) await owner.goesOn();
    await this.travellingPutArrives();
    for (const owner of this.living()) await owner.stops();
    if (!this.exists) await this.destinationIsCreatedAgain();
    await this.aidbox.repeats();
    for (const { lease } of this.leases) await lease.release();
    const last = this.owner('the last owner');
    await last.gainsLease();
    await last.goesOn();
    const stoppedBy = last.blockedBy;
    await last.stops();
    expect(await this.judge(stoppedBy)).toEqual(goodVerdict(said));
  }

  /** Ends what a failed trace left. */
  async close(): Promise<void> {
    for (const owner of this.living()) await owner.crashes();
    await this.emptied();
  }

  private async judge(stoppedBy: string | undefined): Promise<Verdict> {
    const { table, settledTwice, gaps } = await this.verdictOfTable();
    const quarantine = await this.quarantined();
    const waiting = await this.waiting();
    const found = new Set([...table, ...quarantine, ...waiting, ...this.excused]);
    const lost = [...this.aidbox.accepted].filter((event) => !found.has(event)).sort();
    return { table, quarantine, waiting, lost, settledTwice, gaps, late: this.late, afterDelete: this.afterDelete, stoppedBy };
  }

  private async excuseWhatIsNowhere(): Promise<void> {
    const { table } = await this.verdictOfTable();
    const found = new Set([...table, ...(await this.quarantined()), ...(await this.waiting()), ...this.aidbox.unacknowledged]);
    for (const event of this.aidbox.accepted) if (!found.has(event)) this.excused.add(event);
  }

  /** As a reader sees it: what was cleaned up stands in the checkpoint as it was, whatever was put there later. */
  private verdictOfTable(): ReturnType<typeof judgeTable> {
    return judgeTable(makeMemoryObjectStore(Object.fromEntries([...this.table.objects, ...this.removedCommits])));
  }

  /** How often an owner said that the store was emptied or went back. */
  async storeLosses(): Promise<number> {
    return (await this.queueOf(this.incarnation).counters()).storeLosses;
  }

  /** Events in jobs that have not ended. */
  async waiting(): Promise<string[]> {
    const queue = this.queueOf(this.incarnation);
    const peek = async (lease: Lease): Promise<string[]> =>
      (await queue.peek(lease, 0, 100)).flatMap(({ body }) => eventsOf(body)).sort();
    for (const { lease, incarnation } of this.leases)
      if (incarnation === this.incarnation && (await lease.held())) return peek(lease);
    const lease = await queue.acquireLease(LEASE_MS);
    if (lease === undefined) throw new Error('somebody holds the lease whom the stage does not know');
    try {
      return await peek(lease);
    } finally {
      await lease.release();
    }
  }

  private async quarantined(): Promise<string[]> {
    const entries = await this.queueOf(this.incarnation).quarantineList(0, 100);
    return entries.map(({ event }) => quarantinedId(new TextDecoder().decode(event))).sort();
  }

  private async putCommit(path: string, body: Uint8Array, incarnation: number): Promise<'created' | 'exists'> {
    const answer = await this.table.putIfAbsent(path, body);
    if (answer === 'created' && !this.removedCommits.has(path)) {
      if (incarnation < this.incarnation) this.late += 1;
      else if (!this.exists) this.afterDelete += 1;
    }
    return answer;
  }

  private living(): ActingOwner[] {
    return this.owners.filter((owner) => owner.isAlive);
  }

  private head(): number {
    return commitVersions(this.table).at(-1)!;
  }

  private queueOf(incarnation: number): DestinationQueue {
    return this.backend.store.destination(scopeOf({ id: this.destinationId, incarnation: String(incarnation) }));
  }

  private applicationOf(incarnation: number): Application {
    return makeApplication('http://aidbox', this.destinationId, String(incarnation));
  }

  private freeClock(): Clock {
    return { now: () => this.time.nowMs, monotonic: () => this.time.nowMs, sleep: async () => undefined };
  }
}

/** A view that cannot evaluate the resources named: an event may look bad to one owner and good to another. */
function judging(view: CompiledView, bad: readonly string[]): CompiledView {
  return {
    ...view,
    evaluate: (resource) => {
      if (bad.includes(String(resource['id']))) throw new AppError('VIEW_EVALUATION_FAILED', 'the stage calls this event bad');
      return view.evaluate(resource);
    },
  };
}

/** Id of the resource in a quarantine entry: a line that tells the place, then the notification as it came. */
function quarantinedId(text: string): string {
  const end = text.indexOf('\n');
  const { place } = JSON.parse(text.slice(0, end)) as { place: number };
  const { entry } = JSON.parse(text.slice(end + 1)) as { entry: { resource: { resourceType: string; id: string } }[] };
  return entry.filter(({ resource }) => resource.resourceType !== 'AidboxSubscriptionStatus')[place]!.resource.id;
}
