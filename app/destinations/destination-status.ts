import type { Destination } from './destination.ts';

/** S0.102. */
export type InitialExportStatus = 'not_started' | 'export-in-progress' | 'completed' | 'skipped' | 'failed';

/** One parameter of `$status`, in FHIR form. */
export type StatusParameter = { readonly name: string } & (
  | { readonly valueString: string }
  | { readonly valueDecimal: number }
  | { readonly valueBoolean: boolean }
  | { readonly valueDateTime: string }
  | { readonly part: readonly StatusParameter[] }
);

/** The figures of one destination, the same on every replica and after a restart. They count events. */
export interface DestinationNumbers {
  readonly messagesDelivered: number;
  /** Accepted and not settled yet, in our queue; what waits in Aidbox is added by `$status`. */
  readonly messagesQueued: number;
  readonly messagesInProcess: number;
  /** Retries included (S0.103). */
  readonly messagesDeliveryAttempts: number;
  /** `starting`: its table is being opened, which takes minutes when a SQL warehouse is cold. `unattended`: no worker has reported for a minute. `retrying`: a batch failed and is tried again by itself. `blocked`: it waits for a person. */
  readonly deliveryState: 'starting' | 'active' | 'retrying' | 'blocked' | 'unattended';
  readonly initialExportStatus: InitialExportStatus;
  readonly initialExportRowsSent: number;
  /** Further figures, shown after those that S0 names. */
  readonly more: readonly StatusParameter[];
}

/** Where the figures come from. */
export interface DestinationStatus {
  read(destination: Destination): Promise<DestinationNumbers>;
}
