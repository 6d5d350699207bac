import { expectStatus, type AidboxClient, type AidboxRequest, type AidboxResponse } from '../aidbox/aidbox-client.ts';
import { readAllPages } from '../aidbox/search-pages.ts';
import { AppError, isAppError } from '../errors/app-error.ts';
import { asObject, asText, type Json } from '../lib/json.ts';
import type { Logger } from '../log.ts';
import {
  configurationId,
  TARGET_SECRETS,
  type Destination,
  type DestinationProblem,
  type DestinationTarget,
} from './destination.ts';
import type { SecretStore } from './secret-store.ts';
import { CONFIGURATION_CODE, CONFIGURATION_SYSTEM, fromBasic, isConfiguration, toBasic } from './stored-configuration.ts';

/** Where the configurations of destinations live: in Aidbox, so that losing the queue store or every replica loses none. */
export interface DestinationRepository {
  /** All of them that can be read, in any phase; those that cannot are logged. @throws AppError AIDBOX_… */
  list(): Promise<readonly Destination[]>;
  /** Undefined when there is none. @throws AppError AIDBOX_…, DESTINATION_UNREADABLE */
  get(id: string): Promise<Destination | undefined>;
  /** True when a configuration is stored under this id, readable or not. @throws AppError AIDBOX_… */
  has(id: string): Promise<boolean>;
  /** Stores a new one. @throws AppError DESTINATION_EXISTS when another create of the id was first; AIDBOX_… */
  add(destination: Destination): Promise<Destination>;
  /** Replaces the version that `destination` was read from. @throws AppError DESTINATION_CHANGED when it is not the current one; AIDBOX_… */
  put(destination: Destination): Promise<Destination>;
  /** Removes it; none there is no error. @throws AppError AIDBOX_… */
  remove(id: string): Promise<void>;
}

export interface RepositoryDeps {
  readonly client: AidboxClient;
  readonly secrets: SecretStore;
  /** Normalised base URL of the Aidbox that this app serves. */
  readonly installation: string;
  readonly log: Logger;
}

export function makeDestinationRepository({ client, secrets, installation, log }: RepositoryDeps): DestinationRepository {
  const load = async (basic: Json): Promise<Destination> => {
    const stored = fromBasic(basic);
    const { target, problem } = await resolveTarget(stored, secrets);
    const suspended: DestinationProblem = {
      code: 'DESTINATION_SUSPENDED',
      message: `the configuration was made for the Aidbox at ${stored.installation}; this app serves ${installation}`,
    };
    return {
      ...stored,
      target,
      problem: stored.installation === installation ? problem : suspended,
      storedVersion: asText(asObject(basic['meta'])?.['versionId']),
    };
  };
  const read = async (id: string): Promise<Json | undefined> => {
    const request: AidboxRequest = { method: 'GET', path: `/fhir/Basic/${configurationId(id)}` };
    const { status, body } = expectStatus(request, await client.request(request), 200, 404, 410);
    return status === 200 ? asObject(body) : undefined;
  };
  const write = async (request: AidboxRequest, destination: Destination, conflict: () => AppError): Promise<Destination> => {
    const response = await client.request(request);
    if ([404, 409, 410, 412].includes(response.status)) throw conflict();
    expectStatus(request, response, 200, 201);
    return { ...destination, storedVersion: asText(asObject(asObject(response.body)?.['meta'])?.['versionId']) };
  };
  return {
    list: async () => {
      const basics = await listBasics(client);
      const loaded = await Promise.all(
        basics.filter(isConfiguration).map((basic) =>
          load(basic).catch((error: unknown) => {
            if (!isAppError(error, 'DESTINATION_UNREADABLE')) throw error;
            log.error({ event: 'destination.unreadable', code: error.code, message: error.message, action: error.action });
            return undefined;
          }),
        ),
      );
      return loaded.filter((destination) => destination !== undefined);
    },
    get: async (id) => {
      const basic = await read(id);
      return basic === undefined ? undefined : load(basic);
    },
    has: async (id) => (await read(id)) !== undefined,
    // A create with an id of its own is what Aidbox documents to answer 409 to the second of two.
    add: (destination) =>
      write({ method: 'POST', path: '/fhir/Basic', body: toBasic(destination) }, destination, () => {
        return new AppError('DESTINATION_EXISTS', `there is a configuration of AidboxTopicDestination/${destination.id} already`);
      }),
    put: (destination) => {
      const headers: Record<string, string> =
        destination.storedVersion === undefined ? {} : { 'if-match': `W/"${destination.storedVersion}"` };
      const path = `/fhir/Basic/${configurationId(destination.id)}`;
      return write({ method: 'PUT', path, body: toBasic(destination), headers }, destination, () => {
        return new AppError(
          'DESTINATION_CHANGED',
          `the configuration of AidboxTopicDestination/${destination.id} was changed or removed in the meantime`,
        );
      });
    },
    remove: async (id) => {
      const request: AidboxRequest = { method: 'DELETE', path: `/fhir/Basic/${configurationId(id)}` };
      expectStatus(request, await client.request(request), 200, 204, 404, 410);
    },
  };
}

/** By code; where Aidbox refuses that search parameter (contract §10), every Basic resource. @throws AppError AIDBOX_… */
async function listBasics(client: AidboxClient): Promise<readonly Json[]> {
  const send = (request: AidboxRequest): Promise<AidboxResponse> => client.request(request);
  const byCode = new URLSearchParams({ code: `${CONFIGURATION_SYSTEM}|${CONFIGURATION_CODE}` });
  const found = await readAllPages('/fhir/Basic', byCode, send);
  const result = 'failure' in found ? await readAllPages('/fhir/Basic', new URLSearchParams(), send) : found;
  if ('resources' in result) return result.resources;
  throw new AppError('AIDBOX_ANSWER_UNEXPECTED', `Aidbox answered ${result.failure.status} to GET /fhir/Basic; 200 was expected`);
}

async function resolveTarget(
  stored: Pick<Destination, 'id' | 'secrets' | 'target'>,
  secrets: SecretStore,
): Promise<{ readonly target: DestinationTarget; readonly problem: DestinationProblem | undefined }> {
  try {
    const resolved: Record<string, string> = {};
    for (const [parameter, member] of Object.entries(TARGET_SECRETS[stored.target.kind])) {
      const secret = stored.secrets[parameter];
      if (secret !== undefined) resolved[member] = await secrets.resolve(stored.id, parameter, secret);
    }
    return { target: withMembers(stored.target, resolved), problem: undefined };
  } catch (error) {
    if (!isAppError(error)) throw error;
    return { target: stored.target, problem: { code: error.code, message: error.message } };
  }
}

function withMembers(target: DestinationTarget, members: Readonly<Record<string, string>>): DestinationTarget {
  return target.kind === 'path'
    ? { ...target, location: { ...target.location, ...members } }
    : { ...target, table: { ...target.table, ...members } };
}
