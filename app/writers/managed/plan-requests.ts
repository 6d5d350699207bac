import type { PreparedEvent } from '../writer.ts';
import type { SendLimits } from './row-sender.ts';

/** An event with the texts of its rows. */
export interface EncodedEvent {
  readonly event: PreparedEvent;
  readonly rows: readonly string[];
  readonly bytes: number;
}

/** Events that go into one request, or one event that needs several. */
export interface PlannedRequest {
  readonly events: readonly EncodedEvent[];
  /** Requests of the same plan that must have ended before: they hold earlier versions of a resource of this one. */
  readonly after: readonly PlannedRequest[];
}

/**
 * Shares events out to requests, in their order, so that requests may overlap and yet no version of a resource overtakes an earlier one.
 * An event larger than a request stands alone.
 */
export function planRequests(events: readonly EncodedEvent[], { maxRows, maxBytes }: SendLimits): readonly PlannedRequest[] {
  const plan: PlannedRequest[] = [];
  const lastOf = new Map<string, PlannedRequest>();
  let open: { events: EncodedEvent[]; rows: number; bytes: number } = { events: [], rows: 0, bytes: 0 };
  const close = (): void => {
    if (open.events.length === 0) return;
    const after = new Set<PlannedRequest>();
    for (const { event } of open.events) {
      const before = event.resource === undefined ? undefined : lastOf.get(event.resource);
      if (before !== undefined) after.add(before);
    }
    const request: PlannedRequest = { events: open.events, after: [...after] };
    for (const { event } of open.events) if (event.resource !== undefined) lastOf.set(event.resource, request);
    plan.push(request);
    open = { events: [], rows: 0, bytes: 0 };
  };
  for (const event of events) {
    if (open.rows + event.rows.length > maxRows || open.bytes + event.bytes > maxBytes) close();
    open.events.push(event);
    open.rows += event.rows.length;
    open.bytes += event.bytes;
  }
  close();
  return plan;
}

/** The rows of one event in parts that fit into requests. */
export function splitRows(rows: readonly string[], { maxRows, maxBytes }: SendLimits): readonly (readonly string[])[] {
  const parts: string[][] = [];
  let bytes = 0;
  for (const row of rows) {
    const rowBytes = Buffer.byteLength(row) + 1;
    const last = parts.at(-1);
    if (last === undefined || last.length >= maxRows || bytes + rowBytes > maxBytes) {
      parts.push([row]);
      bytes = rowBytes;
    } else {
      last.push(row);
      bytes += rowBytes;
    }
  }
  return parts;
}

/** Runs the requests of a plan, at most `maxRequests` beside each other; each begins when those before it have ended well. All that began are awaited; the first failure keeps further ones from beginning. */
export async function runPlan(
  plan: readonly PlannedRequest[],
  maxRequests: () => number,
  run: (request: PlannedRequest) => Promise<void>,
): Promise<readonly unknown[]> {
  const failures: unknown[] = [];
  const done = new Set<PlannedRequest>();
  const running = new Map<PlannedRequest, Promise<void>>();
  const waiting = [...plan];
  while (running.size > 0 || waiting.length > 0) {
    if (failures.length > 0) waiting.length = 0;
    while (running.size < maxRequests()) {
      const next = waiting.findIndex(({ after }) => after.every((each) => done.has(each)));
      if (next < 0) break;
      const [request] = waiting.splice(next, 1) as [PlannedRequest];
      const end = run(request)
        .then(() => void done.add(request))
        .catch((error: unknown) => void failures.push(error))
        .finally(() => running.delete(request));
      running.set(request, end);
    }
    if (running.size > 0) await Promise.race(running.values());
  }
  return failures;
}
