import type { ErrorEntry } from './entry.ts';

/** Errors of the queue store: Redis, PostgreSQL, or the embedded PostgreSQL. */
export const QUEUE_ERRORS = {
  QUEUE_UNAVAILABLE: {
    retry: 'later',
    meaning: 'The queue store did not answer in time, refused the connection, or failed the request.',
    action:
      'Check that the queue store runs and that REDIS_URL or DATABASE_URL reaches it; deliveries are answered 503 until then.',
  },
  QUEUE_NOT_DURABLE: {
    retry: 'never',
    meaning: 'The queue store can lose what it has acknowledged, or its durability settings cannot be read.',
    action: 'Correct the settings that the message names, or accept the loss by allowing weak durability.',
  },
  QUEUE_FULL: {
    retry: 'later',
    meaning: 'The backlog of a destination reached its limit of jobs or bytes, or the store has no memory left.',
    action: 'Find out why the destination does not drain ($status); raise the limits only if the store has the room.',
  },
  QUEUE_DROPPED: {
    retry: 'never',
    meaning: 'The destination was deleted and its queue with it.',
    action: 'None: events for a deleted destination are not delivered any more.',
  },
  QUEUE_UNREADABLE: {
    retry: 'never',
    meaning:
      'A stored job or quarantine entry cannot be opened: sealed with an unknown key, damaged, or written by a newer version.',
    action: 'Configure the key that sealed it beside the present one, or run the version that wrote it.',
  },
  QUEUE_INCOMPATIBLE: {
    retry: 'never',
    meaning: 'The tables in the database were made by a newer version, or the server is too old.',
    action: 'Run the newer version of the product, or update the server as the message says.',
  },
  QUEUE_EMBEDDED_FAILED: {
    retry: 'never',
    meaning: 'The embedded PostgreSQL cannot be prepared or started on this machine.',
    action: 'Follow the message, or set REDIS_URL or DATABASE_URL to a server of your own.',
  },
} as const satisfies Record<string, ErrorEntry>;
