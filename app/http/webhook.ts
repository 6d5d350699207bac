import type { IncomingMessage } from 'node:http';
import type { Request, Response } from 'express';
import { asForeign } from '../delivery/foreign-body.ts';
import { encodeSpooled } from '../delivery/spooled-notification.ts';
import { AppError, isAppError } from '../errors/app-error.ts';
import { countEntries } from '../fhir/notification.ts';
import type { Clock } from '../lib/clock.ts';
import { describeCause } from '../lib/describe-cause.ts';
import { matchesSecretHash } from '../lib/same-secret.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';
import type { DestinationQueue } from '../queue/queue-store.ts';
import type { Spool } from './spool.ts';

/** What the webhook must know of a destination. */
export interface WebhookTarget {
  readonly queue: DestinationQueue;
  /** SHA-256 of the secret, hex. */
  readonly webhookSecretHash: string;
}

export interface WebhookOptions {
  /** Undefined only when Aidbox confirms now that there is no such destination. @throws AppError when nobody can tell now */
  readonly find: (id: string, incarnation: string) => Promise<WebhookTarget | undefined>;
  /** Like `find`, past every cache: the secret may have been changed by another replica. */
  readonly findFresh: (id: string, incarnation: string) => Promise<WebhookTarget | undefined>;
  readonly spool: Spool;
  readonly maxNotificationBytes: number;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly log: Logger;
}

const RETRY_AFTER_SECONDS = 2;

/**
 * `POST /webhooks/:id/:incarnation`: takes one notification and answers 200 only when the queue store has it durably (invariant I1).
 * Aidbox repeats every non-2xx for ever and holds back everything behind it, so an authentic delivery gets 200 or 503, nothing else:
 * what nobody can read is accepted and ends in quarantine.
 */
export function makeWebhook(options: WebhookOptions): (request: Request, response: Response) => Promise<void> {
  const { clock, metrics, log } = options;

  return async (request, response) => {
    const startedAtMs = clock.monotonic();
    const answer = (status: number, text: string): void => {
      metrics.notifications.inc({ answer: String(status) });
      if (status === 503) response.setHeader('Retry-After', String(RETRY_AFTER_SECONDS));
      if (!request.complete) response.setHeader('Connection', 'close'); // the rest of a body that nobody wants
      response.status(status).type('text/plain').send(text);
    };
    const { id, incarnation } = request.params as { id: string; incarnation: string };
    let target: WebhookTarget | undefined;
    try {
      const bearer = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1];
      const fits = (candidate: WebhookTarget | undefined): boolean =>
        bearer !== undefined && candidate !== undefined && matchesSecretHash(bearer, candidate.webhookSecretHash);
      target = await options.find(id, incarnation);
      if (target !== undefined && !fits(target)) target = await options.findFresh(id, incarnation);
      if (target === undefined) return answer(404, 'no such destination');
      if (!fits(target)) return answer(401, 'wrong secret');
      const body = await readOrSpool(request, options);
      await target.queue.add({ body, receivedAtMs: clock.now(), events: countEntries(body) });
      metrics.notificationBytes.inc(body.byteLength);
      metrics.acceptSeconds.observe((clock.monotonic() - startedAtMs) / 1000);
      answer(200, 'accepted');
    } catch (error) {
      if (request.destroyed && !request.complete) return; // the sender went away: it will repeat
      if (isAppError(error, 'QUEUE_DROPPED')) return answer(404, 'no such destination');
      log.warn({
        event: 'notification.refused',
        destination: target && id, // anybody may write anything into an address
        code: isAppError(error) ? error.code : 'INTERNAL',
        message: isAppError(error) ? error.message : undefined,
        cause: describeCause(isAppError(error) ? error.cause : error),
      });
      answer(503, 'not accepted: try again');
    }
  };
}

/** The body, or what stands for it when it is larger than a notification may be. */
async function readOrSpool(
  request: IncomingMessage,
  { maxNotificationBytes, spool, metrics, log }: WebhookOptions,
): Promise<Uint8Array> {
  const chunks: Buffer[] = [];
  let size = 0;
  const iterator = (request as AsyncIterable<Buffer>)[Symbol.asyncIterator]();
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) {
    chunks.push(next.value);
    size += next.value.byteLength;
    if (size > maxNotificationBytes) {
      const spooled = await spool.write(restOf(chunks, iterator));
      metrics.spooled.inc();
      log.error({ event: 'notification.spooled', code: 'NOTIFICATION_TOO_LARGE', bytes: spooled.sizeBytes });
      return encodeSpooled(spooled);
    }
  }
  if (!request.complete) {
    throw new AppError('QUEUE_UNAVAILABLE', 'the sender closed the connection within the body');
  }
  return asForeign(Buffer.concat(chunks, size));
}

async function* restOf(read: Buffer[], iterator: AsyncIterator<Buffer>): AsyncIterable<Uint8Array> {
  yield* read;
  for (let next = await iterator.next(); next.done !== true; next = await iterator.next()) yield next.value;
}
