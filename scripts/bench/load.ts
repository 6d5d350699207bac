import { Agent, request } from 'node:http';
import { makeNotificationSource } from './notifications.ts';

/** Posts notifications for a time over some connections and prints what it saw as one JSON line. A process of its own. */
interface Task {
  readonly url: string;
  readonly authorization: string;
  readonly connections: number;
  readonly seconds: number;
  readonly eventsPerNotification: number;
  readonly seed: number;
  /** Unique per run: part of the ids. */
  readonly prefix: string;
  /** Notifications per second, over all connections; 0 = as fast as answers come. */
  readonly rate: number;
}

const task = JSON.parse(process.argv[2] ?? '{}') as Task;
const agent = new Agent({ keepAlive: true, maxSockets: task.connections });
const source = makeNotificationSource(task.seed, task.prefix);
const latenciesMs: number[] = [];
let accepted = 0;
let refused = 0;
let bytes = 0;

const startedAtMs = performance.now();
const endAtMs = startedAtMs + task.seconds * 1000;
await Promise.all(Array.from({ length: task.connections }, () => runConnection()));
latenciesMs.sort((a, b) => a - b);
process.stdout.write(
  `${JSON.stringify({
    accepted: accepted * task.eventsPerNotification,
    notifications: accepted,
    refused,
    bytes,
    seconds: (performance.now() - startedAtMs) / 1000,
    p50: latenciesMs[Math.floor(latenciesMs.length * 0.5)],
    p95: latenciesMs[Math.floor(latenciesMs.length * 0.95)],
  })}\n`,
);
agent.destroy();

async function runConnection(): Promise<void> {
  while (performance.now() < endAtMs) {
    if (task.rate > 0) {
      const aheadMs = ((accepted + refused) / task.rate) * 1000 - (performance.now() - startedAtMs);
      if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs));
    }
    const body = source.next(task.eventsPerNotification);
    for (let done = false; !done && performance.now() < endAtMs + 30_000;) {
      const sentAtMs = performance.now();
      const status = await post(body);
      latenciesMs.push(performance.now() - sentAtMs);
      if (status === 200) {
        accepted += 1;
        bytes += body.byteLength;
        done = true;
      } else {
        refused += 1; // as Aidbox does: the same notification again
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
    }
  }
}

function post(body: Buffer): Promise<number> {
  return new Promise((resolve) => {
    const headers = { authorization: task.authorization, 'content-type': 'application/json', 'content-length': body.byteLength };
    const outgoing = request(task.url, { method: 'POST', agent, headers }, (response) => {
      response.resume();
      response.on('end', () => resolve(response.statusCode ?? 0));
    });
    outgoing.on('error', () => resolve(0));
    outgoing.end(body);
  });
}
