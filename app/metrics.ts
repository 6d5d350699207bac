import { Counter, Gauge, Histogram, Registry, collectDefaultMetrics } from 'prom-client';

/** All metrics, by name. Label values come from closed sets or are destination ids; never a resource id, never a secret. */
export function makeMetrics() {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const registers = [registry];
  return {
    registry,
    notifications: new Counter({
      name: 'lakehouse_notifications_total',
      help: 'Webhook deliveries by answer',
      labelNames: ['answer'] as const,
      registers,
    }),
    notificationBytes: new Counter({
      name: 'lakehouse_notification_bytes_total',
      help: 'Bytes of accepted notifications',
      registers,
    }),
    spooled: new Counter({
      name: 'lakehouse_spooled_total',
      help: 'Notifications too large to process, spooled to disk',
      registers,
    }),
    acceptSeconds: new Histogram({
      name: 'lakehouse_accept_seconds',
      help: 'From the arrival of a notification to its durable acceptance',
      buckets: [0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 5],
      registers,
    }),
    settledEvents: new Counter({
      name: 'lakehouse_settled_events_total',
      help: 'Events written or quarantined by this process',
      labelNames: ['destination'] as const,
      registers,
    }),
    committedRows: new Counter({
      name: 'lakehouse_committed_rows_total',
      help: 'Rows written by this process',
      labelNames: ['destination'] as const,
      registers,
    }),
    committedBytes: new Counter({
      name: 'lakehouse_committed_bytes_total',
      help: 'Bytes of data files written by this process',
      labelNames: ['destination'] as const,
      registers,
    }),
    repeatedRows: new Counter({
      name: 'lakehouse_repeated_rows_total',
      help: 'Rows sent again because their answer was lost: they may be in the table twice (managed modes)',
      labelNames: ['destination'] as const,
      registers,
    }),
    commitSeconds: new Histogram({
      name: 'lakehouse_commit_seconds',
      help: 'From a full batch to its end in the queue store',
      labelNames: ['destination'] as const,
      buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
      registers,
    }),
    lagSeconds: new Gauge({
      name: 'lakehouse_lag_seconds',
      help: 'Age of the oldest event of the last commit, from its acceptance',
      labelNames: ['destination'] as const,
      registers,
    }),
    owned: new Gauge({ name: 'lakehouse_destinations_owned', help: 'Destinations that this process delivers', registers }),
    queuedJobs: new Gauge({
      name: 'lakehouse_queued_notifications',
      help: 'Notifications waiting',
      labelNames: ['destination'] as const,
      registers,
    }),
    queuedBytes: new Gauge({
      name: 'lakehouse_queued_bytes',
      help: 'Their bytes, approximately',
      labelNames: ['destination'] as const,
      registers,
    }),
    oldestSeconds: new Gauge({
      name: 'lakehouse_oldest_event_seconds',
      help: 'Age of the oldest waiting notification',
      labelNames: ['destination'] as const,
      registers,
    }),
    quarantined: new Gauge({
      name: 'lakehouse_quarantined_events',
      help: 'Events in quarantine',
      labelNames: ['destination'] as const,
      registers,
    }),
    storeLosses: new Gauge({
      name: 'lakehouse_queue_store_losses',
      help: 'Times the queue store was found emptied or rolled back',
      labelNames: ['destination'] as const,
      registers,
    }),
    blocked: new Gauge({
      name: 'lakehouse_destination_blocked',
      help: '1 while a destination waits for a person',
      labelNames: ['destination'] as const,
      registers,
    }),
  };
}

export type Metrics = ReturnType<typeof makeMetrics>;
