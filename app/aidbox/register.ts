import { isAppError } from '../errors/app-error.ts';
import { backoffMs } from '../lib/backoff.ts';
import type { Clock } from '../lib/clock.ts';
import { asArray, asObject } from '../lib/json.ts';
import type { Logger } from '../log.ts';
import { expectStatus, type AidboxClient, type AidboxRequest } from './aidbox-client.ts';
import { MIN_AIDBOX_VERSION, readAidboxVersion, requireSupported } from './aidbox-version.ts';
import { loadManifests, toPlainOperation, type ManifestValues } from './manifests.ts';
import { makeProbeId, probeText } from './probe.ts';

export interface RegistrationDeps {
  readonly client: AidboxClient;
  /** `MANIFEST_DIRECTORY`, or a copy of it. */
  readonly manifestDirectory: string;
  readonly values: ManifestValues;
  readonly clock: Clock;
  readonly randomBytes: (sizeBytes: number) => Buffer;
  readonly log: Logger;
  /** Ends the waiting for Aidbox. */
  readonly signal?: AbortSignal;
}

/** Which of the two families of routes lead to this app. */
export interface Routes {
  readonly fhir: boolean;
  readonly lakehouse: boolean;
}

const WAIT = { firstMs: 1_000, maxMs: 30_000 };
const PROBES = 3;
const PROBE_PAUSE_MS = 1_000;

/**
 * Waits for Aidbox, checks its version, and puts the App and its Operations there: at every start, the same each time. The HTTP server
 * must be listening, because it is then tried out which routes lead here.
 *
 * @throws AppError AIDBOX_VERSION_UNSUPPORTED, AIDBOX_REFUSED, AIDBOX_ANSWER_UNEXPECTED, MANIFEST_INVALID; the last AIDBOX_UNAVAILABLE when `signal` ends the waiting
 */
export async function registerApp(deps: RegistrationDeps): Promise<Routes> {
  const { app, operations } = await loadManifests(deps.manifestDirectory, deps.values);
  await whenAvailable(deps, async () => {
    const version = await readAidboxVersion(deps.client);
    requireSupported(version);
    if (version.release === undefined) {
      deps.log.warn({
        event: 'aidbox.version-unknown',
        message: `found the version ${version.text ?? '(none)'}, expected ${MIN_AIDBOX_VERSION} or newer; going on`,
      });
    }
    await put(deps.client, `/App/${String(app['id'])}`, app);
    for (const operation of operations)
      await put(deps.client, `/Operation/${String(operation['id'])}`, toPlainOperation(operation));
  });
  return probeRoutes(deps);
}

/** Gives the routes back to Aidbox, so that it manages its own kinds without this app. Idempotent. @throws AppError AIDBOX_…, MANIFEST_INVALID */
export async function unregisterApp(
  deps: Pick<RegistrationDeps, 'client' | 'manifestDirectory' | 'values' | 'log'>,
): Promise<void> {
  const { app, operations } = await loadManifests(deps.manifestDirectory, deps.values);
  const paths = [...operations.map((operation) => `/Operation/${String(operation['id'])}`), `/App/${String(app['id'])}`];
  for (const path of paths) {
    const request: AidboxRequest = { method: 'DELETE', path };
    expectStatus(request, await deps.client.request(request), 200, 204, 404, 410);
  }
  deps.log.info({ event: 'aidbox.unregistered' });
}

async function put(client: AidboxClient, path: string, body: unknown): Promise<void> {
  const request: AidboxRequest = { method: 'PUT', path, body };
  expectStatus(request, await client.request(request), 200, 201);
}

/** Repeats `work` while Aidbox is not there, and says what it waits for. */
async function whenAvailable(deps: RegistrationDeps, work: () => Promise<void>): Promise<void> {
  for (let tries = 0; ; tries++) {
    try {
      return await work();
    } catch (error) {
      if (!isAppError(error) || error.retry === 'never' || deps.signal?.aborted) throw error;
      const pauseMs = Math.max(error.retryAfterMs ?? 0, backoffMs(tries, WAIT));
      deps.log.warn({
        event: 'aidbox.waiting',
        code: error.code,
        message: error.message,
        address: deps.client.baseUrl,
        attempt: tries + 1,
        ms: Math.round(pauseMs),
      });
      await deps.clock.sleep(pauseMs, deps.signal);
      if (deps.signal?.aborted) throw error;
    }
  }
}

/** Overriding a built-in route is not promised by Aidbox (contract §1.5), so it is tried, and said when it does not work. */
async function probeRoutes(deps: RegistrationDeps): Promise<Routes> {
  const routes = { fhir: await reachesUs(deps, '/fhir'), lakehouse: await reachesUs(deps, '/lakehouse') };
  if (routes.fhir) {
    deps.log.info({ event: 'aidbox.registered', address: deps.client.baseUrl });
  } else if (routes.lakehouse) {
    deps.log.warn({
      event: 'aidbox.fhir-routes-not-ours',
      message:
        'this Aidbox answers /fhir/AidboxTopicDestination itself; create, read and delete lakehouse destinations at /lakehouse/AidboxTopicDestination',
    });
  } else {
    deps.log.error({
      event: 'aidbox.app-not-reached',
      address: deps.values.LAKEHOUSE_APP_URL,
      message:
        'a call through Aidbox did not come back to this app; check that Aidbox reaches the address and that the client may read /fhir/AidboxTopicDestination',
    });
  }
  return routes;
}

async function reachesUs(deps: RegistrationDeps, prefix: string): Promise<boolean> {
  for (let probe = 1; probe <= PROBES; probe++) {
    const id = makeProbeId(deps.randomBytes(16).toString('hex'));
    try {
      const { body } = await deps.client.request({ method: 'GET', path: `${prefix}/AidboxTopicDestination/${id}` });
      const issue = asObject(asArray(asObject(body)?.['issue'])[0]);
      if (issue?.['diagnostics'] === probeText(id)) return true;
    } catch (error) {
      if (!isAppError(error)) throw error;
      deps.log.debug({ event: 'aidbox.probe-failed', code: error.code, message: error.message, attempt: probe });
    }
    if (probe < PROBES) await deps.clock.sleep(PROBE_PAUSE_MS, deps.signal);
  }
  return false;
}
