import type { AidboxClient, CallerHeaders } from '../aidbox/aidbox-client.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../log.ts';
import type { CompiledView } from '../view/compiled-view.ts';
import type { FhirRelease } from '../view/fhir-model.ts';
import type { ServiceFacts } from './parameter-rule.ts';
import type { DestinationRepository } from './destination-repository.ts';
import type { DestinationStatus } from './destination-status.ts';
import type { SecretStore } from './secret-store.ts';
import type { TablePreparation } from './table-preparation.ts';
import type { WebhookDestinations } from './webhook-destinations.ts';

/** One call of an operation on AidboxTopicDestination, as a user made it. */
export interface OperationCall {
  /** Decoded and well-formed; undefined for create and search. */
  readonly id: string | undefined;
  /** Of a version in the history; likewise. */
  readonly version: string | undefined;
  /** Body of a create, unchecked. */
  readonly resource: unknown;
  /** Of a route without `/fhir`: the body may have come in Aidbox format. */
  readonly isPlainRoute: boolean;
  /** Of the query, and of the form of a search. */
  readonly params: URLSearchParams;
  /** Lower-case headers of the user's request. */
  readonly caller: CallerHeaders;
  /** Address of Aidbox for links, without a slash at its end. */
  readonly baseUrl: string;
}

/** What the operations need of the queue store. */
export interface DestinationQueues {
  /** Forgets everything of a scope. Idempotent. */
  drop(scope: string): Promise<void>;
  /** Jobs of a scope that are not settled. */
  waitingJobs(scope: string): Promise<number>;
}

/** Everything the operations on destinations use. */
export interface OperationDeps {
  readonly client: AidboxClient;
  readonly repository: DestinationRepository;
  readonly webhooks: WebhookDestinations;
  readonly secrets: SecretStore;
  readonly tables: TablePreparation;
  readonly service: ServiceFacts;
  readonly queues: DestinationQueues;
  readonly numbers: DestinationStatus;
  /** @throws AppError VIEW_… */
  /** Release of FHIR for views that name none. */
  readonly fhirVersion: FhirRelease;
  readonly compileView: (viewDefinition: unknown) => CompiledView;
  /** Normalised base URL of the Aidbox that this app serves. */
  readonly installation: string;
  /** Extension in which this Aidbox shows creation times in FHIR format (BOX_FHIR_CREATEDAT_URL); undefined: its default. */
  readonly createdAtUrl: string | undefined;
  /** Longest wait of a delete with drain=true, milliseconds. */
  readonly drainTimeoutMs: number;
  readonly clock: Clock;
  readonly randomBytes: (sizeBytes: number) => Buffer;
  readonly log: Logger;
}
