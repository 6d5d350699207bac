import type { ErrorEntry } from './entry.ts';

/** Errors between the webhook and the table. */
export const DELIVERY_ERRORS = {
  NOTIFICATION_INVALID: {
    retry: 'never',
    meaning: 'Aidbox posted something that is not a notification Bundle; it is kept whole in quarantine.',
    action: 'Look at the quarantined body and at the topic and destination that sent it; replay or drop it.',
  },
  NOTIFICATION_TOO_LARGE: {
    retry: 'never',
    meaning:
      'A notification is larger than MAX_NOTIFICATION_BYTES (it is kept whole in the spool folder and named in quarantine), or holds more entries or unpacks to more than memory should hold (it is kept whole in quarantine).',
    action: 'Raise MAX_NOTIFICATION_BYTES for the next ones; write the resources of this one again, then drop the entry.',
  },
  THREAD_UNAVAILABLE: {
    retry: 'later',
    meaning:
      'A worker thread for a large or slow resource could not be started, usually because memory or processes of the container are used up.',
    action:
      'Nothing when it passes: it is tried again. Otherwise give the process more memory (a thread may use up to 1 GiB) and look at its limit of threads.',
  },
  ENTRY_UNREADABLE: {
    retry: 'never',
    meaning: 'One entry of a notification names no resource.',
    action: 'Look at the quarantined entry; replay or drop it.',
  },
  HISTORY_NOT_READABLE: {
    retry: 'never',
    meaning:
      'A deletion came without its last values, and Aidbox does not give the history of that type or resource, though it answers the app otherwise.',
    action: 'Allow GET /fhir/<type>/<id>/_history (manifests/access-policy.json), then replay the event.',
  },
  DELETE_WITHOUT_CONTENT: {
    retry: 'never',
    meaning: 'A deletion came without the resource, and the history of the resource holds no earlier content.',
    action: 'Switch history on for the resource type, or drop the entry.',
  },
  LEASE_LOST: {
    retry: 'later',
    meaning: 'Another worker owns the destination now; this one stops without writing.',
    action: 'Nothing: the other worker goes on.',
  },
  INCARNATION_SUPERSEDED: {
    retry: 'never',
    meaning: 'The table shows that the destination was deleted and created again; the older incarnation stops.',
    action: 'Nothing: the newer incarnation goes on.',
  },
  TABLE_WENT_BACK: {
    retry: 'never',
    meaning:
      'The table is not the one this destination wrote to: its log is shorter, it has another id, or our transactions are missing.',
    action: 'Restore the table, or delete and create the destination again to accept the table as it is.',
  },
  TABLE_LOG_CUT: {
    retry: 'never',
    meaning: 'Commits that are needed to know whether an event is in the table already were cleaned from its log.',
    action: 'Raise delta.logRetentionDuration to at least 7 days; create the destination again to accept possible duplicates.',
  },
  COMMIT_RECORD_UNREADABLE: {
    retry: 'never',
    meaning:
      'A commit of this destination carries a record that this version of the product cannot read, so what it settled is unknown.',
    action: 'Run the newer version of the product that wrote it, on every replica.',
  },
  TABLE_SCHEMA_CHANGED: {
    retry: 'later',
    meaning:
      'Another writer changed the schema or the protocol of the table while a batch was being written; the batch is formed again.',
    action: 'Nothing, unless it repeats: then compare the table with the view.',
  },
  TABLE_LOG_MOVED: {
    retry: 'later',
    meaning: 'The log of the table was cleaned up below a commit that was being written, so that commit does not count.',
    action: 'Nothing: the table is read anew. If it repeats, the object store shows less than it holds.',
  },
  QUARANTINED_BEFORE: {
    retry: 'never',
    meaning: 'The table says that an earlier attempt quarantined this event, and its entry had to be written again.',
    action: 'Replay the entry, or drop it.',
  },
  QUARANTINE_FULL: {
    retry: 'never',
    meaning:
      'The quarantine of the destination holds as much as QUARANTINE_MAX_ENTRIES allows; delivery waits, nothing is dropped.',
    action:
      'Drop quarantined events, or raise the bound and replay them afterwards: replays wait behind the batch that does not fit.',
  },
  QUEUE_STORE_LOST: {
    retry: 'later',
    meaning: 'The table is ahead of the queue store: the store was emptied or restored from an older copy.',
    action: 'Find out why; events that only the lost store held are gone and must be exported again.',
  },
} as const satisfies Record<string, ErrorEntry>;
