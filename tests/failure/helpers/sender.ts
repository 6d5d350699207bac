import { Agent, request } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import type { Events } from './events.ts';

/** Where notifications go. */
export interface Endpoint {
  readonly url: string;
  /** Value of the `Authorization` header. */
  readonly authorization: string;
}

export interface SenderOptions {
  readonly events: Events;
  /** The replicas of the receiver, like behind a load balancer: those that answer and those that do not. */
  readonly endpoints: readonly Endpoint[];
  readonly random: () => number;
  /** Replicas of Aidbox, each with its own part of the events, one notification of each under way. */
  readonly replicas: number;
  /** Events of one notification, at most. */
  readonly maxEvents: number;
  /** False: nothing is posted again but what was not accepted. Default true. */
  readonly repeats?: boolean;
  /** How many new events a replica may make now; it is asked before each notification. Undefined: no more will ever come. */
  readonly allowance: () => number | undefined;
}

/** What the sender saw. */
export interface SenderCounts {
  posts: number;
  /** Posts that were answered by a 2xx. */
  accepted: number;
  /** Posts answered by something else, by status. */
  readonly refused: Map<number, number>;
  /** Posts whose answer never came. */
  unanswered: number;
  /** Posts that repeat, beside or long after another one, what needs no repetition. */
  reposted: number;
}

export interface Sender {
  readonly counts: SenderCounts;
  /** Resolves when every event was accepted. */
  readonly done: Promise<void>;
  /** Ends it, whatever is left. */
  stop(): void;
}

const RETRY_PAUSE_MS = 200;
const IDLE_PAUSE_MS = 20;
/** Chance of a notification to be posted twice at once, and of an old one to come again, cut anew. */
const REPEATED = 0.04;

/**
 * Posts as Aidbox does (contract §3.4): one queue for each replica, a notification at a time, repeated for ever on anything but a 2xx; what
 * is repeated is cut anew. Some notifications go out twice, some come again long after they were accepted.
 */
export function startSender({ events, endpoints, random, replicas, maxEvents, repeats = true, allowance }: SenderOptions): Sender {
  const agent = new Agent({ keepAlive: true });
  const counts: SenderCounts = { posts: 0, accepted: 0, refused: new Map(), unanswered: 0, reposted: 0 };
  let stopped = false;
  let acceptedUpTo = 0;

  const post = (numbers: readonly number[]): Promise<boolean> => {
    counts.posts += 1;
    const { url, authorization } = endpoints[Math.floor(random() * endpoints.length)]!;
    const body = Buffer.from(events.notification(numbers));
    const headers = { authorization, 'content-type': 'application/json', 'content-length': body.byteLength };
    return new Promise((resolve) => {
      let isAnswered = false;
      const outgoing = request(url, { method: 'POST', agent, headers, timeout: 30_000 }, (response) => {
        isAnswered = true;
        const status = response.statusCode ?? 0;
        response.resume().once('error', () => undefined);
        const isAccepted = status >= 200 && status < 300;
        if (isAccepted) counts.accepted += 1;
        else counts.refused.set(status, (counts.refused.get(status) ?? 0) + 1);
        resolve(isAccepted);
      });
      outgoing.once('timeout', () => outgoing.destroy());
      outgoing.once('error', () => {
        if (!isAnswered) counts.unanswered += 1;
        resolve(false);
      });
      outgoing.end(body);
    });
  };

  const repostOld = async (): Promise<void> => {
    const from = Math.floor(random() * acceptedUpTo);
    counts.reposted += 1;
    await post(Array.from({ length: Math.min(maxEvents, acceptedUpTo - from) }, (_, index) => from + index));
  };

  const runReplica = async (): Promise<void> => {
    const queue: number[] = [];
    let next = maxEvents;
    while (!stopped) {
      const allowed = allowance();
      if (allowed !== undefined && allowed > 0) queue.push(...events.create(Math.min(allowed, maxEvents)));
      if (queue.length === 0) {
        if (allowed === undefined) return;
        await pause(IDLE_PAUSE_MS);
        continue;
      }
      const batch = queue.slice(0, next);
      const isTwice = repeats && random() < REPEATED;
      if (isTwice) counts.reposted += 1;
      const [first, second = false] = await Promise.all([post(batch), ...(isTwice ? [post(batch)] : [])]);
      if (first || second) {
        queue.splice(0, batch.length);
        acceptedUpTo = Math.max(acceptedUpTo, ...batch);
        next = maxEvents;
      } else {
        next = 1 + Math.floor(random() * maxEvents);
        await pause(RETRY_PAUSE_MS * random());
      }
      if (repeats && acceptedUpTo > 0 && random() < REPEATED) await repostOld();
    }
  };

  const done = Promise.all(Array.from({ length: replicas }, runReplica)).then(() => agent.destroy());
  return {
    counts,
    done,
    stop: () => {
      stopped = true;
    },
  };
}
