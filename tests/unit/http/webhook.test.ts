import { afterEach, describe, expect, it } from '@jest/globals';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeSpooled } from '../../../app/delivery/spooled-notification.ts';
import { AppError } from '../../../app/errors/app-error.ts';
import { closeServer, listen, makeServer } from '../../../app/http/server.ts';
import { makeSpool } from '../../../app/http/spool.ts';
import { makeWebhook } from '../../../app/http/webhook.ts';
import { systemClock } from '../../../app/lib/clock.ts';
import { hashSecret } from '../../../app/lib/same-secret.ts';
import { makeSealer } from '../../../app/lib/sealer.ts';
import { makeLogger } from '../../../app/log.ts';
import { makeMetrics } from '../../../app/metrics.ts';
import type { DestinationQueue, NewJob } from '../../../app/queue/queue-store.ts';
import { eventually } from '../../helpers/eventually.ts';

const closers: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0).reverse()) await close();
});

interface Bench {
  readonly url: string;
  readonly jobs: NewJob[];
  readonly log: string[];
  readonly spoolDir: string;
  fail: Error | undefined;
  unknownAidbox: boolean;
  secret: string;
}

async function startBench(): Promise<Bench> {
  const spoolDir = await mkdtemp(join(tmpdir(), 'spool-'));
  closers.push(() => rm(spoolDir, { recursive: true }));
  const bench: Bench = { url: '', jobs: [], log: [], spoolDir, fail: undefined, unknownAidbox: false, secret: 'right' };
  const queue = {
    add: async (job: NewJob) => {
      if (bench.fail !== undefined) throw bench.fail;
      bench.jobs.push(job);
    },
  } as unknown as DestinationQueue;
  const find = async (id: string) => {
    if (bench.unknownAidbox) throw new AppError('AIDBOX_UNAVAILABLE', 'no answer');
    return id === 'd1' ? { queue, webhookSecretHash: hashSecret(bench.secret) } : undefined;
  };
  const metrics = makeMetrics();
  const log = makeLogger('debug', (line) => bench.log.push(line));
  const stale = async (id: string) =>
    id === 'd1' && !bench.unknownAidbox ? { queue, webhookSecretHash: hashSecret('right') } : find(id);
  const server = makeServer({
    webhook: makeWebhook({
      find: stale,
      findFresh: find,
      spool: makeSpool(spoolDir, makeSealer(Buffer.alloc(32, 7))),
      maxNotificationBytes: 100_000,
      clock: systemClock,
      metrics,
      log,
    }),
    isOperationCaller: () => false,
    health: async () => ({ status: 200 }),
    ready: async () => ({ status: 200 }),
    metrics,
    refreshMetrics: async () => undefined,
    log,
  });
  const port = await listen(server, 0, '127.0.0.1');
  closers.push(() => closeServer(server));
  return Object.assign(bench, { url: `http://127.0.0.1:${port}` });
}

function post(
  bench: Bench,
  body: Buffer | Uint8Array<ArrayBuffer> | string,
  options: { id?: string; secret?: string; headers?: Record<string, string> } = {},
): Promise<Response> {
  return fetch(`${bench.url}/webhooks/${options.id ?? 'd1'}/one`, {
    method: 'POST',
    body,
    headers: { connection: 'close', authorization: `Bearer ${options.secret ?? 'right'}`, ...options.headers },
  });
}

describe('I1: the webhook', () => {
  it('answers 200 after the queue has the body exactly as it came', async () => {
    const bench = await startBench();
    const body = Uint8Array.of(0, 1, 0xff, 0x7b);
    expect((await post(bench, body)).status).toBe(200);
    expect([...bench.jobs[0]!.body]).toEqual([...body]);
  });

  it.each(['application/json', 'application/fhir+json; charset=utf-8', 'text/plain', 'application/x-unknown'])(
    'takes a body of type %s',
    async (type) => {
      const bench = await startBench();
      expect((await post(bench, '{}', { headers: { 'content-type': type } })).status).toBe(200);
    },
  );

  it.each(['QUEUE_UNAVAILABLE', 'QUEUE_FULL'] as const)(
    'answers 503 with Retry-After on %s, and has accepted nothing',
    async (code) => {
      const bench = await startBench();
      bench.fail = new AppError(code, 'no');
      const answer = await post(bench, '{}');
      expect([answer.status, answer.headers.get('retry-after')]).toEqual([503, '2']);
    },
  );

  it('answers 503 on a fault of its own, and does not log its text', async () => {
    const bench = await startBench();
    bench.fail = new Error('CANARY');
    expect((await post(bench, '{}')).status).toBe(503);
    expect(bench.log.join('')).not.toContain('CANARY');
  });

  it('answers 401 for a wrong or missing secret, and takes a secret that another replica has just changed', async () => {
    const bench = await startBench();
    expect((await post(bench, '{}', { secret: 'wrong' })).status).toBe(401);
    expect((await post(bench, '{}', { headers: { authorization: 'Basic eDp5' } })).status).toBe(401);
    bench.secret = 'changed';
    expect((await post(bench, '{}', { secret: 'changed' })).status).toBe(200);
    expect(bench.jobs).toHaveLength(1);
  });

  it('answers 404 only when Aidbox confirms that the destination is not there, else 503', async () => {
    const bench = await startBench();
    expect((await post(bench, '{}', { id: 'd2' })).status).toBe(404);
    bench.unknownAidbox = true;
    expect((await post(bench, '{}', { id: 'd2' })).status).toBe(503);
  });

  it('spools a body over the limit whole and sealed, accepts it, and says so loudly', async () => {
    const bench = await startBench();
    const body = Buffer.alloc(3_000_000, 'secret name ');
    expect((await post(bench, body)).status).toBe(200);
    const spooled = decodeSpooled(bench.jobs[0]!.body);
    expect(spooled?.sizeBytes).toBe(3_000_000);
    expect(await readdir(bench.spoolDir)).toEqual([spooled!.file]);
    const file = await readFile(join(bench.spoolDir, spooled!.file));
    expect(file.includes('secret name')).toBe(false);
    expect(unseal(file).equals(body)).toBe(true);
    expect(bench.log.join('')).toContain('notification.spooled');
  });

  it('accepts nothing when the sender goes away within the body', async () => {
    const bench = await startBench();
    const { port } = new URL(bench.url);
    const socket = connect(Number(port), '127.0.0.1');
    socket.write(
      'POST /webhooks/d1/one HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer right\r\nContent-Length: 1000\r\n\r\n{"half":',
    );
    await eventually(() => expect(socket.connecting).toBe(false));
    socket.destroy();
    expect((await post(bench, '{}')).status).toBe(200);
    expect(bench.jobs).toHaveLength(1);
  });
});

function unseal(file: Buffer): Buffer {
  const sealer = makeSealer(Buffer.alloc(32, 7));
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < file.length;) {
    const length = file.readUInt32BE(at);
    pieces.push(sealer.open(file.subarray(at + 4, at + 4 + length)));
    at += 4 + length;
  }
  return Buffer.concat(pieces);
}
