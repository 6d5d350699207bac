import type { DestinationNumbers, DestinationStatus, StatusParameter } from '../destinations/destination-status.ts';
import { scopeOf } from '../destinations/destination.ts';
import { decodeStatus, type PublishedStatus } from '../delivery/owner-status.ts';
import type { Clock } from '../lib/clock.ts';
import type { Counters, QueueStore } from '../queue/queue-store.ts';

type Usage = Awaited<ReturnType<ReturnType<QueueStore['destination']>['usage']>>;

/**
 * The figures of `$status`, from the queue store and from what the owner published there, so that every replica says the same.
 * Delivered = settled otherwise than by quarantine: written, found in the table already, or without a row in the view.
 */
export function makeStatusNumbers(queueStore: QueueStore, clock: Clock): DestinationStatus {
  return {
    async read(destination): Promise<DestinationNumbers> {
      const queue = queueStore.destination(scopeOf(destination));
      const [counters, usage, quarantine, published] = await Promise.all([
        queue.counters(),
        queue.usage(),
        queue.quarantineSize(),
        queue.status(),
      ]);
      const status = decodeStatus(published);
      return {
        messagesDelivered: counters.committed + counters.noRow + counters.duplicates,
        messagesQueued: usage.events,
        messagesInProcess: status?.inProcess ?? 0,
        messagesDeliveryAttempts: counters.attempts,
        initialExportStatus: destination.skipInitialExport ? 'skipped' : 'not_started',
        initialExportRowsSent: 0,
        deliveryState: isAttended(status, clock) ? status.state : 'unattended',
        more: moreParameters(counters, usage, quarantine.entries, status, clock),
      };
    },
  };
}

/** An owner publishes every few seconds; clocks of replicas may differ. */
const UNATTENDED_AFTER_MS = 60_000;
const MAX_ERRORS = 5;

function isAttended(status: PublishedStatus | undefined, clock: Clock): status is PublishedStatus {
  return status !== undefined && clock.now() - status.atMs < UNATTENDED_AFTER_MS;
}

/** As Aidbox shows it for its own kinds (contract §3.7). */
function describeError({ atMs, code, message, action }: PublishedStatus['lastErrors'][number]): StatusParameter {
  return {
    name: 'lastErrorDetail',
    part: [
      { name: 'message', valueString: `${code}: ${message}. ${action}` },
      { name: 'timestamp', valueDateTime: new Date(atMs).toISOString() },
    ],
  };
}

function moreParameters(
  counters: Counters,
  usage: Usage,
  quarantined: number,
  status: PublishedStatus | undefined,
  clock: Clock,
): StatusParameter[] {
  const number = (name: string, value: number | undefined): StatusParameter[] =>
    value === undefined ? [] : [{ name, valueDecimal: value }];
  const text = (name: string, value: string | undefined): StatusParameter[] =>
    value === undefined ? [] : [{ name, valueString: value }];
  const time = (name: string, ms: number | undefined): StatusParameter[] =>
    ms === undefined ? [] : [{ name, valueDateTime: new Date(ms).toISOString() }];
  return [
    ...number('rowsWritten', counters.rows),
    ...number('messagesCommitted', counters.committed),
    ...number('messagesWithoutRow', counters.noRow),
    ...number('messagesFoundInTable', counters.duplicates),
    ...number('messagesQuarantined', quarantined),
    ...number('messagesAccepted', counters.accepted),
    ...number('messagesQuarantinedEver', counters.quarantined),
    ...number('messagesFailedAttempts', counters.failedAttempts),
    ...number('messagesWithoutVersion', counters.unstableKeys),
    ...number('queuedNotifications', usage.jobs),
    ...number('queuedBytes', usage.bytes),
    ...number(
      'oldestQueuedSeconds',
      usage.oldestReceivedAtMs === undefined ? undefined : Math.max(0, (clock.now() - usage.oldestReceivedAtMs) / 1000),
    ),
    ...number('tableVersion', status?.tableVersion),
    ...time('lastCommit', status?.lastCommitAtMs),
    ...number('rowsSentAgain', counters.repeatedRows),
    ...number('queueStoreLosses', counters.storeLosses),
    ...number('messagesLostWithQueueStore', counters.lostEvents),
    ...text('lastQueueStoreLoss', status?.storeLoss),
    ...(status?.warnings ?? []).map((warning) => ({ name: 'warning', valueString: warning })),
    ...(status?.lastErrors ?? []).slice(0, MAX_ERRORS).map(describeError),
  ];
}
