import type { ErrorFacts } from '../errors/app-error.ts';
import type { ErrorCode } from '../errors/catalogue.ts';
import type { Notification } from '../fhir/notification.ts';
import type { RowContext } from '../rows/row-encoder.ts';
import type { Row, TableColumn } from '../rows/table-type.ts';

/** What a thread must know to make rows for a table. Can be cloned. */
export interface FlattenJob {
  readonly viewDefinition: unknown;
  readonly createdAtUrl: string | undefined;
  readonly columns: readonly TableColumn[];
}

/** The resource of which rows are made. */
export type ResourceSource =
  /** That of an event of the notification; `lastUpdated` replaces the one of its `meta`. */
  | { readonly kind: 'event'; readonly place: number; readonly lastUpdated: string | undefined }
  /** One that came from elsewhere, as JSON text. */
  | { readonly kind: 'text'; readonly json: string };

/** One question to a thread, which answers each before it takes the next. */
export type Question =
  /** Reads a notification, and forgets the one before. */
  | { readonly kind: 'read'; readonly body: Uint8Array; readonly exactly: boolean; readonly job: FlattenJob }
  /** Makes all rows of one resource, and keeps them for `rows`. */
  | { readonly kind: 'flatten'; readonly source: ResourceSource; readonly context: RowContext }
  /** The next of the rows that were made, at most so many. */
  | { readonly kind: 'rows'; readonly count: number }
  /** The notification with the entry of one event only; `body` undefined: the one of the question before. */
  | { readonly kind: 'reduce'; readonly body: Uint8Array | undefined; readonly place: number };

/** What a thread answers. */
export interface Answers {
  /** Events without their resources: a stub says that there is one, and when it was updated. */
  readonly read: Notification;
  readonly flatten: { readonly rowCount: number; readonly columnCount: number };
  readonly rows: Row[];
  readonly reduce: Uint8Array | undefined;
}

/** An error on its way out of a thread; `code` undefined: a fault of the program. */
export interface ThreadError {
  readonly code: ErrorCode | undefined;
  readonly message: string;
  readonly facts: ErrorFacts;
}

/** The first message of a thread is `ready`, each later one an answer. */
export type Message =
  | { readonly kind: 'ready' }
  | { readonly kind: 'answer'; readonly value: unknown }
  | { readonly kind: 'error'; readonly error: ThreadError };
