import { afterAll, afterEach, beforeAll, expect, it } from '@jest/globals';
import type { TableLocation } from '../../app/storage/table-location.ts';
import { findDifference, NO_DIFFERENCE } from '../helpers/multiset-difference.ts';
import { findPostgres } from '../helpers/postgres.ts';
import type { QueueServer } from '../helpers/queue-server.ts';
import { findRedis } from '../helpers/redis.ts';
import { startServiceUnderTest, type QueueAddress, type ServiceUnderTest } from '../helpers/service-under-test.ts';
import { bothOf, describeWith } from '../helpers/services/availability.ts';
import type { DeltaReader } from '../helpers/services/delta-reader.ts';
import { findDeltaRs } from '../helpers/services/delta-rs.ts';
import { findMinio, type Minio } from '../helpers/services/minio.ts';
import { findSpark } from '../helpers/services/spark.ts';
import { ALLERGY_REACTIONS } from './oracle/allergy-intolerance.ts';
import { CONDITIONS } from './oracle/condition.ts';
import { ENCOUNTERS } from './oracle/encounter.ts';
import { expectRows, type FlatView } from './oracle/flat-view.ts';
import { IMMUNIZATIONS } from './oracle/immunization.ts';
import { PRESCRIPTIONS } from './oracle/medication-request.ts';
import { OBSERVATION_VALUES } from './oracle/observation.ts';
import { PATIENT_NAMES } from './oracle/patient.ts';
import { PRACTITIONERS } from './oracle/practitioner.ts';
import { PROCEDURES } from './oracle/procedure.ts';
import { isRestricted, NOT_RESTRICTED, planLives, type Life } from './synthea/lives.ts';
import { findSynthea, SYNTHEA_TYPES, type ReadSynthea, type SyntheaType } from './synthea/resources.ts';

const VIEWS: Readonly<Record<SyntheaType, FlatView>> = {
  Patient: PATIENT_NAMES,
  Practitioner: PRACTITIONERS,
  Encounter: ENCOUNTERS,
  Condition: CONDITIONS,
  Procedure: PROCEDURES,
  MedicationRequest: PRESCRIPTIONS,
  Immunization: IMMUNIZATIONS,
  AllergyIntolerance: ALLERGY_REACTIONS,
  Observation: OBSERVATION_VALUES,
};
const SEED = 20260801;
const CONCURRENT_WRITERS = 8;
const RESOURCES = 13_525;

const dataAndReaders = bothOf(findSynthea(), bothOf(await findDeltaRs(), await findSpark()));
const servers = bothOf(bothOf(await findRedis(), await findPostgres()), await findMinio());

describeWith(bothOf(dataAndReaders, servers), 'Synthea records written to Aidbox', (parts) => {
  const [[readSynthea, [deltaRs, startSpark]], [[startRedis, startPostgres], startMinio]] = parts;
  let redis: QueueServer;
  let postgres: QueueServer;
  let minio: Minio;
  let spark: DeltaReader;
  let service: ServiceUnderTest | undefined;

  beforeAll(async () => {
    [redis, postgres, minio, spark] = await Promise.all([startRedis(), startPostgres(), startMinio(), startSpark()]);
  }, 120_000);
  afterEach(async () => {
    await service?.close();
    service = undefined;
  });
  afterAll(async () => {
    await Promise.all([redis.stop(), postgres.stop(), minio.stop(), spark.close()]);
  }, 60_000);

  const queues: Record<string, () => QueueAddress> = {
    Redis: () => ({ redisUrl: redis.url }),
    PostgreSQL: () => ({ databaseUrl: postgres.url }),
  };
  const places: Record<string, (service: ServiceUnderTest) => Promise<(name: string) => TableLocation>> = {
    disk: async (service) => (name) => service.localTable(name),
    MinIO: async () => {
      const bucket = await minio.createBucket();
      return (name) => minio.locate(bucket, `lake/${name}`);
    },
  };

  it.each([
    ['all', 'Redis', 'MinIO', 1],
    ['all', 'PostgreSQL', 'disk', 1],
    ['a tenth', 'Redis', 'disk', 10],
    ['a tenth', 'PostgreSQL', 'MinIO', 10],
  ])(
    '%s of them, through %s, are on %s as delta-rs and Spark read it, each version once',
    async (_share, queue, place, step) => {
      service = await startServiceUnderTest({ runAs: 'process', queue: queues[queue]!() });
      const locate = await places[place]!(service);
      for (const type of SYNTHEA_TYPES) {
        const view = VIEWS[type].definition;
        await service.createDestination({ id: idOf(type), view, table: locate(view.name), criteria: NOT_RESTRICTED });
      }

      const lives = planAll(readSynthea, step);
      if (step === 1) expect(lives).toHaveLength(RESOURCES);
      await writeAll(service, lives);
      await service.waitForDelivery(SYNTHEA_TYPES.map(idOf));

      for (const type of SYNTHEA_TYPES) {
        const events = service.lab.events(idOf(type));
        // The topic let through what it should, said without FHIRPath.
        const wanted = service.lab.history(type).filter(({ resource }) => !isRestricted(resource));
        expect(events.map(({ versionId }) => versionId)).toEqual(wanted.map(({ versionId }) => versionId));
        expect(wanted.length).toBeLessThan(service.lab.history(type).length);
        expect(new Set(events.map(({ action }) => action))).toEqual(new Set(['create', 'update', 'delete']));

        const expected = expectRows(VIEWS[type], events);
        const location = locate(VIEWS[type].definition.name);
        const [byDeltaRs, bySpark] = await Promise.all([deltaRs.readDeltaRows(location), spark.readDeltaRows(location)]);
        expect({ type, ...findDifference(byDeltaRs, expected) }).toEqual({ type, ...NO_DIFFERENCE });
        expect({ type, ...findDifference(bySpark, expected) }).toEqual({ type, ...NO_DIFFERENCE });
        expect(await service.status(idOf(type))).toMatchObject({
          messagesDelivered: events.length,
          messagesQueued: 0,
          messagesQuarantined: 0,
          rowsWritten: expected.length,
        });
      }
    },
    240_000,
  );
});

function idOf(type: SyntheaType): string {
  return `lake-${type.toLowerCase()}`;
}

function planAll(readSynthea: ReadSynthea, step: number): Life[] {
  return SYNTHEA_TYPES.flatMap((type, index) =>
    planLives(
      SEED + index,
      type,
      readSynthea(type).filter((_resource, at) => at % step === 0),
    ),
  );
}

/** Writes of one resource one after the other, those of several at the same time. */
async function writeAll({ api }: ServiceUnderTest, lives: readonly Life[]): Promise<void> {
  const left = lives.values();
  const writeSome = async (): Promise<void> => {
    for (const life of left) {
      for (const { method, path, body } of life) {
        const contentType = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
        await api.call(method, path, { ...(body === undefined ? {} : { body }), contentType });
      }
    }
  };
  await Promise.all(Array.from({ length: CONCURRENT_WRITERS }, writeSome));
}
