import {
  assertSchemaCompatibility,
  LATEST_SCHEMA_VERSION,
  MINIMUM_POSTGRES_VERSION,
  runMigrations,
  SchemaMigrationRequiredError,
  SchemaVersionMismatchError,
  UnsupportedPostgresVersionError,
} from 'bullmq';
import type { ClientBase } from 'pg';
import { AppError } from '../errors/app-error.ts';

/** `LAKE`, for the advisory lock of our migration. */
const MIGRATION_LOCK = 0x4c414b45;

/** SQLSTATE codes raised by our functions; class LH is nobody else's. */
export const LEASE_LOST_STATE = 'LH001';
export const DROPPED_STATE = 'LH002';

/** Outcomes of `lakehouse.add_jobs`, one for each job. */
export const ADD_OUTCOME = { added: 0, full: 1, dropped: 2 } as const;

/**
 * Our tables and functions beside BullMQ's schema `bullmq`. Append only: a released step is never edited.
 *
 * - `destination` has one row for each scope: the exact backlog, and the tombstone. Adding locks it first, so the numbers that order
 *   BullMQ's jobs are handed out in the order of commits (a sequence alone is not: a job could appear before one already peeked). It costs
 *   nothing: BullMQ notifies on each add, and PostgreSQL lets only one notifying transaction of a database commit at a time.
 * - Locks are taken in one order (jobs, counters, destination; several destinations by name; `add_jobs` only the latter), so they never form a ring.
 * - `synchronous_commit` is set inside the transaction, which holds whatever the database, the role or a pooler says.
 */
const STEPS: readonly string[] = [
  `
CREATE TABLE lakehouse.destination (
  scope      text PRIMARY KEY,
  jobs       bigint NOT NULL DEFAULT 0,
  events     bigint NOT NULL DEFAULT 0,
  bytes      bigint NOT NULL DEFAULT 0,
  dropped_at timestamptz
) WITH (fillfactor = 20);

CREATE TABLE lakehouse.counter (
  scope text NOT NULL,
  name  text NOT NULL,
  value bigint NOT NULL,
  PRIMARY KEY (scope, name)
) WITH (fillfactor = 50);

CREATE TABLE lakehouse.quarantine (
  scope text NOT NULL,
  key   text NOT NULL,
  at_ms bigint NOT NULL,
  entry text NOT NULL,
  PRIMARY KEY (scope, key)
);
CREATE INDEX quarantine_order ON lakehouse.quarantine (scope, at_ms, key);

CREATE TABLE lakehouse.value (
  scope text NOT NULL,
  name  text NOT NULL,
  value bytea NOT NULL,
  PRIMARY KEY (scope, name)
);

CREATE TABLE lakehouse.lease (
  name       text PRIMARY KEY,
  token      text NOT NULL,
  expires_at timestamptz NOT NULL
);

-- How many events a job brings: its name begins with the number.
CREATE FUNCTION lakehouse.events_of(p_name text) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
  SELECT coalesce(substring(p_name FROM '^[0-9]+')::bigint, 0)
$$;

-- Puts jobs into BullMQ queues, all in one transaction, each only if its destination is there and has room.
CREATE FUNCTION lakehouse.add_jobs(
  p_scopes text[], p_ids text[], p_names text[], p_data text[], p_opts text[], p_added_at_ms bigint[], p_max_jobs bigint, p_max_bytes bigint
) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
  v_outcomes integer[] := array_fill(${ADD_OUTCOME.added}, ARRAY[cardinality(p_ids)]);
  v_scope text;
  v_row lakehouse.destination;
  v_data jsonb;
  v_bytes bigint;
BEGIN
  PERFORM set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') <> 'remote_apply';
  FOR v_scope IN SELECT DISTINCT s FROM unnest(p_scopes) AS s ORDER BY s LOOP
    SELECT * INTO v_row FROM lakehouse.destination WHERE scope = v_scope FOR UPDATE;
    IF NOT FOUND THEN
      INSERT INTO lakehouse.destination (scope) VALUES (v_scope) ON CONFLICT DO NOTHING;
      SELECT * INTO STRICT v_row FROM lakehouse.destination WHERE scope = v_scope FOR UPDATE;
      INSERT INTO bullmq.meta (queue, field, value) VALUES (v_scope, 'opts.maxLenEvents', '1') ON CONFLICT DO NOTHING;
    END IF;
    FOR i IN 1 .. cardinality(p_ids) LOOP
      CONTINUE WHEN p_scopes[i] <> v_scope;
      v_data := p_data[i]::jsonb;
      v_bytes := octet_length(v_data ->> 'body');
      IF v_row.dropped_at IS NOT NULL THEN
        v_outcomes[i] := ${ADD_OUTCOME.dropped};
      ELSIF v_row.jobs >= p_max_jobs OR (v_row.jobs > 0 AND v_row.bytes + v_bytes > p_max_bytes) THEN
        v_outcomes[i] := ${ADD_OUTCOME.full};
      ELSE
        PERFORM bullmq.add_job(v_scope, p_ids[i], p_names[i], v_data, p_opts[i]::jsonb, 0, 0, p_added_at_ms[i], 1,
          NULL, NULL, NULL, NULL, NULL, false);
        v_row.jobs := v_row.jobs + 1;
        v_row.events := v_row.events + lakehouse.events_of(p_names[i]);
        v_row.bytes := v_row.bytes + v_bytes;
      END IF;
    END LOOP;
    UPDATE lakehouse.destination SET jobs = v_row.jobs, events = v_row.events, bytes = v_row.bytes WHERE scope = v_scope;
  END LOOP;
  RETURN v_outcomes;
END $$;

-- The oldest waiting jobs, to the holder of the lease only; stops after p_max_bytes, but not before the first.
CREATE FUNCTION lakehouse.peek(p_scope text, p_lease text, p_token text, p_skip bigint, p_limit bigint, p_max_bytes bigint)
RETURNS TABLE (id text, data text) LANGUAGE plpgsql AS $$
DECLARE
  v_bytes bigint := 0;
BEGIN
  IF NOT EXISTS (SELECT FROM lakehouse.lease AS l WHERE l.name = p_lease AND l.token = p_token AND l.expires_at > clock_timestamp()) THEN
    RAISE EXCEPTION 'lease lost' USING ERRCODE = '${LEASE_LOST_STATE}';
  END IF;
  FOR id, data IN
    SELECT j.id, j.data::text FROM bullmq.job AS j WHERE j.queue = p_scope AND j.state = 'waiting'
     ORDER BY j.priority, j.seq OFFSET p_skip LIMIT p_limit
  LOOP
    EXIT WHEN v_bytes > 0 AND v_bytes + octet_length(data) > p_max_bytes;
    v_bytes := v_bytes + octet_length(data);
    RETURN NEXT;
  END LOOP;
END $$;

CREATE FUNCTION lakehouse.count(p_scope text, p_delta jsonb) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lakehouse.counter AS c (scope, name, value)
  SELECT p_scope, key, value::bigint FROM jsonb_each_text(p_delta) ORDER BY key
  ON CONFLICT (scope, name) DO UPDATE SET value = c.value + excluded.value
$$;

-- Raises when the destination is dropped, which takes back what the transaction did. Last in its transaction: it locks the row.
CREATE FUNCTION lakehouse.lock_destination(p_scope text) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_dropped_at timestamptz;
BEGIN
  INSERT INTO lakehouse.destination (scope) SELECT p_scope WHERE NOT EXISTS (SELECT FROM lakehouse.destination WHERE scope = p_scope)
    ON CONFLICT DO NOTHING;
  SELECT dropped_at INTO v_dropped_at FROM lakehouse.destination WHERE scope = p_scope FOR UPDATE;
  IF v_dropped_at IS NOT NULL THEN
    RAISE EXCEPTION 'destination dropped' USING ERRCODE = '${DROPPED_STATE}';
  END IF;
END $$;

-- Ends jobs. Only a job that was there adds its tally. p_tallies: one object of counters for each job.
CREATE FUNCTION lakehouse.settle(
  p_scope text, p_ids text[], p_tallies jsonb, p_keys text[], p_at_ms bigint[], p_entries text[], p_checkpoint bytea
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_job record;
  v_size bigint;
  v_job_events bigint;
  v_bytes bigint := 0;
  v_events bigint := 0;
  v_ended bigint := 0;
  v_delta jsonb;
  v_tallies jsonb[] := '{}';
BEGIN
  PERFORM set_config('synchronous_commit', 'on', true) WHERE current_setting('synchronous_commit') <> 'remote_apply';
  FOR v_job IN SELECT id, p_tallies -> (n::int - 1) AS tally FROM unnest(p_ids) WITH ORDINALITY AS t (id, n) ORDER BY id LOOP
    SELECT octet_length(data ->> 'body'), lakehouse.events_of(name) INTO v_size, v_job_events FROM bullmq.job WHERE queue = p_scope AND id = v_job.id;
    IF bullmq.remove(p_scope, v_job.id, false) = 1 THEN
      v_ended := v_ended + 1;
      v_bytes := v_bytes + v_size;
      v_events := v_events + v_job_events;
      v_tallies := v_tallies || v_job.tally;
    END IF;
  END LOOP;
  INSERT INTO lakehouse.quarantine (scope, key, at_ms, entry)
    SELECT p_scope, * FROM unnest(p_keys, p_at_ms, p_entries) AS q (key, at_ms, entry) ORDER BY key ON CONFLICT DO NOTHING;
  IF p_checkpoint IS NOT NULL THEN
    INSERT INTO lakehouse.value (scope, name, value) VALUES (p_scope, 'checkpoint', p_checkpoint)
      ON CONFLICT (scope, name) DO UPDATE SET value = excluded.value;
  END IF;
  SELECT jsonb_object_agg(name, total) INTO v_delta FROM (
    SELECT key AS name, sum(value::bigint) AS total FROM unnest(v_tallies) AS t (tally), jsonb_each_text(t.tally) GROUP BY key
  ) AS totals;
  PERFORM lakehouse.count(p_scope, COALESCE(v_delta, '{}'));
  -- BullMQ trims its events only now and then; nobody reads them. The lock is the one its own trimming takes.
  IF pg_try_advisory_xact_lock(hashtext('bullmq:evtrim:' || p_scope)) THEN
    DELETE FROM bullmq.event WHERE queue = p_scope;
  END IF;
  PERFORM lakehouse.lock_destination(p_scope);
  IF EXISTS (SELECT FROM bullmq.job WHERE queue = p_scope AND state = 'waiting') THEN
    UPDATE lakehouse.destination SET jobs = greatest(0, jobs - v_ended), events = greatest(0, events - v_events), bytes = greatest(0, bytes - v_bytes) WHERE scope = p_scope;
  ELSE
    UPDATE lakehouse.destination SET jobs = 0, events = 0, bytes = 0 WHERE scope = p_scope;
  END IF;
END $$;

-- Counts outside a settlement.
CREATE FUNCTION lakehouse.count_now(p_scope text, p_delta jsonb) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  PERFORM lakehouse.count(p_scope, p_delta);
  PERFORM lakehouse.lock_destination(p_scope);
END $$;

CREATE FUNCTION lakehouse.put_value(p_scope text, p_name text, p_value bytea) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO lakehouse.value (scope, name, value) VALUES (p_scope, p_name, p_value)
    ON CONFLICT (scope, name) DO UPDATE SET value = excluded.value;
  PERFORM lakehouse.lock_destination(p_scope);
END $$;

-- Takes a free or expired lease, by the clock of the database.
CREATE FUNCTION lakehouse.acquire_lease(p_name text, p_token text, p_ttl_ms bigint, p_scope text) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT FROM lakehouse.destination WHERE scope = p_scope AND dropped_at IS NOT NULL) THEN
    RAISE EXCEPTION 'destination dropped' USING ERRCODE = '${DROPPED_STATE}';
  END IF;
  INSERT INTO lakehouse.lease AS l (name, token, expires_at) VALUES (p_name, p_token, clock_timestamp() + p_ttl_ms * interval '1 ms')
    ON CONFLICT (name) DO UPDATE SET token = excluded.token, expires_at = excluded.expires_at WHERE l.expires_at <= clock_timestamp();
  RETURN FOUND;
END $$;

-- First step of a drop: when it is committed nothing comes in any more.
CREATE FUNCTION lakehouse.bury(p_scope text) RETURNS void LANGUAGE sql AS $$
  INSERT INTO lakehouse.destination AS d (scope, dropped_at) VALUES (p_scope, clock_timestamp())
    ON CONFLICT (scope) DO UPDATE SET jobs = 0, events = 0, bytes = 0, dropped_at = COALESCE(d.dropped_at, excluded.dropped_at)
$$;

-- Last step, in a transaction of its own: it must not hold the row that a settlement waits for. Old tombstones go with it.
CREATE FUNCTION lakehouse.forget(p_scope text, p_lease text, p_tombstone_ms bigint) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
  v_old timestamptz := clock_timestamp() - p_tombstone_ms * interval '1 ms';
BEGIN
  DELETE FROM lakehouse.counter WHERE scope = p_scope;
  DELETE FROM lakehouse.quarantine WHERE scope = p_scope;
  DELETE FROM lakehouse.value WHERE scope = p_scope;
  DELETE FROM lakehouse.lease WHERE name = p_lease OR expires_at < v_old;
  DELETE FROM lakehouse.destination WHERE dropped_at < v_old;
END $$;
`,
];

/**
 * Brings BullMQ's schema and ours up to date, once whoever starts first.
 * @throws AppError QUEUE_INCOMPATIBLE; whatever the database throws
 */
export async function migrate(client: ClientBase): Promise<void> {
  if ((await readBullmqVersion(client)) < LATEST_SCHEMA_VERSION) await runMigrations(client);
  if ((await readVersion(client)) === STEPS.length) return;
  // A lock of the session, taken before the transaction: inside one, PostgreSQL would go on believing what it had looked up before the wait.
  await client.query('SELECT pg_advisory_lock($1)', [MIGRATION_LOCK]);
  await client.query('BEGIN');
  try {
    await client.query('CREATE SCHEMA IF NOT EXISTS lakehouse');
    await client.query(
      'CREATE TABLE IF NOT EXISTS lakehouse.migration (version integer PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())',
    );
    const version = await readVersion(client);
    if (version > STEPS.length) {
      throw new AppError(
        'QUEUE_INCOMPATIBLE',
        `found tables of version ${version} in schema lakehouse, expected at most ${STEPS.length}`,
      );
    }
    for (const [index, step] of STEPS.entries()) {
      if (index < version) continue;
      await client.query(step);
      await client.query('INSERT INTO lakehouse.migration (version) VALUES ($1)', [index + 1]);
    }
    await client.query('COMMIT');
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw error;
  } finally {
    await client.query('SELECT pg_advisory_unlock($1)', [MIGRATION_LOCK]).catch(() => undefined); // a broken session holds no lock
  }
}

/** 0 when there is no schema. Looked at first: making a schema, even one that exists, needs a right that a careful operator withholds. */
async function readBullmqVersion(client: ClientBase): Promise<number> {
  try {
    return await assertSchemaCompatibility(client);
  } catch (cause) {
    if (cause instanceof SchemaMigrationRequiredError) return 0;
    if (cause instanceof SchemaVersionMismatchError) {
      throw new AppError(
        'QUEUE_INCOMPATIBLE',
        'schema bullmq was made by a newer major version of BullMQ than this build brings',
        { cause },
      );
    }
    if (cause instanceof UnsupportedPostgresVersionError) {
      throw new AppError(
        'QUEUE_INCOMPATIBLE',
        `found a PostgreSQL server that is too old, expected ${MINIMUM_POSTGRES_VERSION} or newer`,
        { cause },
      );
    }
    throw cause;
  }
}

async function readVersion(client: ClientBase): Promise<number> {
  const { rows: tables } = await client.query<{ name: string | null }>(`SELECT to_regclass('lakehouse.migration')::text AS name`);
  if (tables[0]?.name == null) return 0;
  const { rows } = await client.query<{ version: number }>(
    'SELECT coalesce(max(version), 0) AS version FROM lakehouse.migration',
  );
  return rows[0]?.version ?? 0;
}
