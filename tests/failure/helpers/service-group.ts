import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { ObjectStore } from '../../../app/storage/object-store.ts';
import type { TableLocation } from '../../../app/storage/table-location.ts';
import { eventually } from '../../helpers/eventually.ts';
import { findFreePort } from '../../helpers/services/free-port.ts';
import { startAidboxLab } from '../../lab/aidbox/lab.ts';
import { TOPIC, VIEW } from './events.ts';
import type { KillableQueue } from './killable-queues.ts';
import { makePhasedProgram } from './phased-program.ts';
import { type PhasedProcess, type Stand, startPhasedProcess } from './phased-process.ts';
import type { Endpoint } from './sender.ts';
import type { FindPlace } from './table-places.ts';

const DESTINATION = 'kill';
const START_TIMEOUT_MS = 60_000;
/** A start that failed, for a store was down, is not repeated at once: no supervisor of processes does that. */
const FAILED_START_PAUSE_MS = 1_000;

export interface GroupOptions {
  readonly queue: KillableQueue;
  readonly place: FindPlace;
  readonly webs: number;
  readonly workers: number;
  readonly leaseMs: number;
  readonly batchSize: number;
  readonly sendIntervalMs: number;
  /** Makes the table before the destination; without it the destination does. */
  readonly prepareTable?: (store: ObjectStore) => Promise<void>;
}

/** The service in several processes, each replaced as soon as it ends, with one destination. */
export interface ServiceGroup {
  readonly table: TableLocation;
  /** The table, past any proxy. */
  readonly store: ObjectStore;
  /** Where notifications go: one for each web process, the same after its replacement. */
  readonly endpoints: readonly Endpoint[];
  /** Name of the destination's queue. */
  readonly scope: string;
  /** The processes that are there now. */
  processes(role: 'web' | 'worker'): readonly PhasedProcess[];
  /** One that is up, as soon as there is one. */
  aProcess(role: 'web' | 'worker'): Promise<PhasedProcess>;
  /** Told of each stand; by default each goes on at once. */
  onStand(listener: (stand: Stand) => void): void;
  /** Processes that ended unasked: those that could not start while a store was down. */
  readonly failedStarts: number;
  readonly directory: string;
  /** Ends everything but the stores. `keepLogs` leaves the directory with the processes' logs. */
  stop(options?: { readonly keepLogs: boolean }): Promise<void>;
}

export async function startGroup(options: GroupOptions): Promise<ServiceGroup> {
  const { queue } = options;
  const program = await makePhasedProgram();
  const directory = await mkdtemp(join(tmpdir(), 'lakehouse-kill-'));
  const lab = await startAidboxLab({ rootClient: { id: 'root', secret: randomBytes(16).toString('hex') } });
  const place = await options.place(directory);
  const store = await place.open();
  await options.prepareTable?.(store);
  const webPorts = await Promise.all(Array.from({ length: options.webs }, findFreePort));
  const env = {
    PATH: process.env['PATH'] ?? '',
    HOME: process.env['HOME'] ?? '',
    HOST: '127.0.0.1',
    PUBLIC_URL: `http://127.0.0.1:${webPorts[0]}`,
    AIDBOX_URL: lab.url,
    AIDBOX_CLIENT_ID: lab.rootClient.id,
    AIDBOX_CLIENT_SECRET: lab.rootClient.secret,
    APP_SECRET: randomBytes(24).toString('hex'),
    SEAL_KEY: randomBytes(32).toString('base64'),
    DATA_DIR: directory,
    LEASE_MS: String(options.leaseMs),
    ...queue.env,
  };

  let listener: (stand: Stand) => void = (stand) => stand.go();
  let stopping = false;
  let failedStarts = 0;
  const slots = new Map<string, PhasedProcess>();
  /** Starts the process of a slot, and its replacement when it ends. */
  const fill = (name: string, role: string, port: number): void => {
    const slot = startPhasedProcess({
      program,
      env: { ...env, ROLE: role, PORT: String(port) },
      logFile: join(directory, `${name}.log`),
      onStand: (stand) => listener(stand),
    });
    slots.set(name, slot);
    void slot.ended.then(async () => {
      if (!slot.wasUp) {
        failedStarts += 1;
        await pause(FAILED_START_PAUSE_MS);
      }
      if (!stopping) fill(name, role, port);
    });
  };
  const processes = (role: string): PhasedProcess[] => [...slots.values()].filter((slot) => slot.role === role);
  const aProcess = (role: string): Promise<PhasedProcess> =>
    eventually(
      () => {
        const up = processes(role).find((slot) => slot.isUp);
        if (up === undefined) throw new Error(`no ${role} process is up; see the logs in ${directory}`);
        return up;
      },
      { timeoutMs: START_TIMEOUT_MS },
    );
  const stop = async ({ keepLogs = false } = {}): Promise<void> => {
    stopping = true;
    await Promise.all([...slots.values()].map((slot) => slot.kill()));
    await store.close();
    await lab.close();
    if (!keepLogs) await rm(directory, { recursive: true, force: true });
  };

  try {
    webPorts.forEach((port, index) => fill(`web-${index}`, 'web', port));
    await eventually(() => allUp(processes('web')), { timeoutMs: START_TIMEOUT_MS });
    const endpoint = await createDestination();
    Array.from({ length: options.workers }, (_, index) => fill(`worker-${index}`, 'worker', 0));
    await eventually(() => allUp(processes('worker')), { timeoutMs: START_TIMEOUT_MS });
    const { pathname } = new URL(endpoint.url);
    return {
      table: place.location,
      store,
      endpoints: webPorts.map((port) => ({ ...endpoint, url: `http://127.0.0.1:${port}${pathname}` })),
      scope: pathname.split('/').slice(-2).join('.'),
      processes,
      aProcess,
      onStand: (next) => {
        listener = next;
      },
      get failedStarts() {
        return failedStarts;
      },
      directory,
      stop,
    };
  } catch (error) {
    await stop({ keepLogs: true });
    throw new Error(`the service did not start; see the logs in ${directory}`, { cause: error });
  }

  /** Through the public API; returns what Aidbox was told to post to. */
  async function createDestination(): Promise<Endpoint> {
    const call = async (method: string, path: string, body?: object): Promise<object> => {
      const answer = await lab.call(method, path, { ...(body === undefined ? {} : { body: body as never }) });
      if (answer.status >= 300) throw new Error(`${method} ${path} answered ${answer.status}: ${JSON.stringify(answer.body)}`);
      return answer.body as object;
    };
    await call('PUT', `/fhir/AidboxSubscriptionTopic/${TOPIC.id}`, TOPIC);
    await call('PUT', `/fhir/ViewDefinition/${VIEW.id}`, VIEW);
    await call('POST', '/fhir/AidboxTopicDestination', {
      resourceType: 'AidboxTopicDestination',
      id: DESTINATION,
      topic: TOPIC.url,
      kind: 'data-lakehouse-at-least-once',
      meta: {
        profile: [
          'http://health-samurai.io/fhir/core/StructureDefinition/aidboxtopicdestination-dataLakehouseAtLeastOnceProfile',
        ],
      },
      parameter: [
        { name: 'writeMode', valueString: 'external-direct' },
        ...place.parameters,
        { name: 'createTable', valueBoolean: options.prepareTable === undefined },
        { name: 'viewDefinition', valueString: VIEW.name },
        { name: 'batchSize', valueUnsignedInt: options.batchSize },
        { name: 'sendIntervalMs', valueUnsignedInt: options.sendIntervalMs },
        { name: 'skipInitialExport', valueBoolean: true },
      ],
    });
    const { parameter } = (await call('GET', `/AidboxTopicDestination/${DESTINATION}`)) as {
      parameter: readonly { readonly name: string; readonly value: { readonly url?: string; readonly string?: string } }[];
    };
    const valueOf = (name: string): string => {
      const value = parameter.find((each) => each.name === name)?.value;
      return value?.url ?? value?.string ?? '';
    };
    return { url: valueOf('endpoint'), authorization: valueOf('header').replace(/^Authorization: /, '') };
  }
}

function allUp(processes: readonly PhasedProcess[]): void {
  if (!processes.every((each) => each.isUp)) throw new Error('a process is not up yet');
}
