import type { DestinationQueue } from '../../../app/queue/queue-store.ts';

const START_MS = Date.UTC(2026, 0, 1);
const TICK_MS = 1_000;

/** Time of the stage: it moves only when something is sent, or when the trace says so. */
export class StageTime {
  nowMs = START_MS;

  passes({ days }: { readonly days: number }): void {
    this.nowMs += days * 86_400_000;
  }
}

/** Sends events (each the creation of one Patient, named by its id) until a 2xx came. What it repeats it may cut into other notifications. */
export class SendingAidbox {
  /** Events that it will send again. */
  readonly unacknowledged = new Set<string>();
  /** Events of which a job was stored once. */
  readonly accepted = new Set<string>();
  /** How far its clock runs ahead of ours. */
  clockAheadMs = 0;
  private readonly born = new Map<string, string>();
  private readonly time: StageTime;
  private readonly queue: () => DestinationQueue;

  /** @param queue where a webhook call is stored now */
  constructor(time: StageTime, queue: () => DestinationQueue) {
    this.time = time;
    this.queue = queue;
  }

  /** One notification; accepted, and the 2xx arrives. */
  async sends(...events: string[]): Promise<void> {
    await this.post(events);
    for (const event of events) this.unacknowledged.delete(event);
  }

  /** One notification; accepted, but the 2xx is lost. */
  async sendsAndLosesTheAnswer(...events: string[]): Promise<void> {
    await this.post(events);
    for (const event of events) this.unacknowledged.add(event);
  }

  /** Everything without a 2xx, in one notification. */
  async repeats(): Promise<void> {
    if (this.unacknowledged.size > 0) await this.sends(...this.unacknowledged);
  }

  private async post(events: readonly string[]): Promise<void> {
    this.time.nowMs += TICK_MS;
    await this.queue().add({ body: this.notification(events), receivedAtMs: this.time.nowMs });
    for (const event of events) this.accepted.add(event);
  }

  private notification(events: readonly string[]): Uint8Array {
    const entries = events.map((id) => ({
      fullUrl: `http://aidbox/fhir/Patient/${id}`,
      request: { method: 'POST', url: 'Patient' },
      resource: { resourceType: 'Patient', id, meta: { versionId: '1', lastUpdated: this.birthOf(id) } },
    }));
    const status = {
      resource: { resourceType: 'AidboxSubscriptionStatus', type: 'event-notification', topic: 'http://example.org/topic' },
    };
    const bundle = {
      resourceType: 'Bundle',
      type: 'history',
      timestamp: new Date(this.time.nowMs).toISOString(),
      entry: [status, ...entries],
    };
    return new TextEncoder().encode(JSON.stringify(bundle));
  }

  private birthOf(event: string): string {
    const known = this.born.get(event) ?? new Date(this.time.nowMs + this.clockAheadMs + this.born.size).toISOString();
    this.born.set(event, known);
    return known;
  }
}

/** The events of a notification that Aidbox sent. */
export function eventsOf(body: Uint8Array): string[] {
  const { entry } = JSON.parse(new TextDecoder().decode(body)) as { entry: { resource: { resourceType: string; id: string } }[] };
  return entry.flatMap(({ resource }) => (resource.resourceType === 'Patient' ? [resource.id] : []));
}
