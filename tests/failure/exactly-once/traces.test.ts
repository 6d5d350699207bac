import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { startEmbedded } from '../../helpers/postgres.ts';
import { findRedis } from '../../helpers/redis.ts';
import { describeWith } from '../../helpers/services/availability.ts';
import { openPostgresBackend, openRedisBackend, type QueueBackend } from './queue-backend.ts';
import { Stage } from './stage.ts';
import { COMMIT_TRACES } from './traces/commits.ts';
import { INCARNATION_TRACES } from './traces/incarnations.ts';
import { KEY_TRACES } from './traces/keys.ts';
import { LOG_TRACES } from './traces/log.ts';
import { ORDER_TRACES } from './traces/order.ts';
import { RECOVERY_TRACES } from './traces/recovery.ts';
import { TABLE_TRACES } from './traces/table.ts';
import { WINDOW_TRACES } from './traces/window.ts';

const TRACES = [
  ...KEY_TRACES,
  ...WINDOW_TRACES,
  ...COMMIT_TRACES,
  ...ORDER_TRACES,
  ...LOG_TRACES,
  ...TABLE_TRACES,
  ...INCARNATION_TRACES,
  ...RECOVERY_TRACES,
];
const MODEL = new URL('../../../../shared/model/exactly-once.mjs', import.meta.url);
const START_MS = 60_000;

function playAll(open: () => Promise<QueueBackend>): void {
  let backend: QueueBackend;
  beforeAll(async () => {
    backend = await open();
  }, START_MS);
  afterAll(() => backend?.close(), START_MS);

  it.each(TRACES.map((trace) => [`${trace.rule}: ${trace.name}`, trace] as const))(
    '%s',
    async (_name, trace) => {
      const stage = await Stage.open(backend);
      try {
        await trace.play(stage);
      } finally {
        await stage.close();
      }
    },
    30_000,
  );
}

describeWith(await findRedis(), 'I3, I7: exactly once, queue in Redis', (start) =>
  playAll(async () => openRedisBackend(await start())),
);
describe('I3, I7: exactly once, queue in the embedded PostgreSQL', () =>
  playAll(async () => openPostgresBackend(await startEmbedded())));

describe('the traces', () => {
  const found = existsSync(MODEL);
  (found ? it : it.skip)(
    `play every counter-example of the model${found ? '' : ' (skipped: ../shared/model is missing)'}`,
    () => {
      expect([...new Set(TRACES.flatMap(({ model }) => model))].sort()).toEqual(
        counterExamples(readFileSync(MODEL, 'utf8')).sort(),
      );
    },
  );
});

/** Lines of RUNS that expect a broken property, as `<name>/<scope>`. */
function counterExamples(model: string): string[] {
  const runs = model.slice(model.indexOf('const RUNS = ['));
  const lines = runs.matchAll(/\['([^']+)', [WP]\((?:\{[^}]*\})?\), '(\w+)', '([^']*)'\]/g);
  return [...lines].filter(([, , , expected]) => expected !== '').map(([, name, scope]) => `${name}/${scope}`);
}
