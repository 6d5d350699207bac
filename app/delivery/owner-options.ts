import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../log.ts';
import type { DestinationQueue } from '../queue/queue-store.ts';
import type { TableColumn } from '../rows/table-type.ts';
import type { Writer } from '../writers/writer.ts';
import type { PrepareContext } from './prepare-event.ts';

export interface OwnerOptions {
  readonly destinationId: string;
  readonly queue: DestinationQueue;
  /** Called after the lease was gained; the owner closes what it gets. @param signal aborts when the tenure ends */
  readonly makeWriter: (signal: AbortSignal) => Promise<Writer>;
  /** Makes what is needed to prepare events for the columns that `writer` fills. */
  readonly prepareContext: (columns: readonly TableColumn[], writer: Writer) => PrepareContext;
  /** So many events make a batch due before its time. */
  readonly batchSize: number;
  /** Events of one write, at most; more than `batchSize` where a write is several requests. Default `batchSize`. */
  readonly eventsPerWrite?: number;
  readonly sendIntervalMs: number;
  readonly leaseMs: number;
  readonly quarantineMaxEntries: number;
  /** Wakes the owner soon after a job arrived. Returns a promise that resolves then, or when `ms` passed. */
  readonly waitForJob: (ms: number, signal: AbortSignal) => Promise<void>;
  /** What this process remembers of the destination from one tenure to the next. */
  readonly memory: OwnerMemory;
  readonly clock: Clock;
  readonly log: Logger;
  /** Told when a tenure begins and ends. */
  readonly onTenure?: (began: boolean) => void;
  readonly onCommit?: (result: {
    readonly events: number;
    readonly rows: number;
    readonly bytes: number;
    readonly ms: number;
    readonly lagMs: number;
  }) => void;
}

export interface OwnerMemory {
  /** Events that the queue store held when it was last asked: what is missing after a loss was in it. */
  waitingEvents: number;
}
