/** Events of small Observations, each a resource of its own, and the notifications that hold them. Number `n` is `obs-n`. */
export class Events {
  /** `lastUpdated` in microseconds, by number: an event keeps its own however often it is posted. */
  private readonly bornMicros: number[] = [];

  get count(): number {
    return this.bornMicros.length;
  }

  /** Makes `count` more and returns their numbers. */
  create(count: number): readonly number[] {
    const first = this.bornMicros.length;
    for (let n = first; n < first + count; n += 1) {
      // Later than all before, whatever the clock does.
      this.bornMicros.push(Math.max(Date.now() * 1_000, (this.bornMicros.at(-1) ?? 0) + 1));
    }
    return Array.from({ length: count }, (_, index) => first + index);
  }

  /** The body that Aidbox would post. */
  notification(numbers: readonly number[]): string {
    const status = '{"resource":{"resourceType":"AidboxSubscriptionStatus","status":"active","type":"event-notification"}}';
    return `{"resourceType":"Bundle","type":"history","timestamp":"${new Date().toISOString()}","entry":[${[status, ...numbers.map((n) => this.entry(n))].join(',')}]}`;
  }

  private entry(n: number): string {
    const micros = this.bornMicros[n] ?? 0;
    const lastUpdated = `${new Date(Math.floor(micros / 1_000)).toISOString().slice(0, -1)}${String(micros % 1_000).padStart(3, '0')}Z`;
    const id = eventId(n);
    return (
      `{"fullUrl":"http://aidbox/fhir/Observation/${id}","request":{"method":"POST","url":"/fhir/Observation"},"resource":{"resourceType":"Observation","id":"${id}",` +
      `"meta":{"versionId":"${n + 1}","lastUpdated":"${lastUpdated}"},"status":"final","code":{"coding":[{"system":"http://loinc.org","code":"c-${n % 97}"}]}},` +
      '"extension":[{"url":"http://health-samurai.io/fhir/core/StructureDefinition/bundle-entryActionCode","valueCode":"create"}]}'
    );
  }
}

/** `id` of the row of event `n`. */
export const eventId = (n: number): string => `obs-${n}`;

export const TOPIC = {
  resourceType: 'AidboxSubscriptionTopic',
  id: 'observations',
  url: 'http://example.org/observations',
  status: 'active',
  trigger: [{ resource: 'Observation', supportedInteraction: ['create', 'update', 'delete'] }],
};

export const VIEW = {
  resourceType: 'ViewDefinition',
  id: 'observation-keys',
  name: 'observation_keys',
  resource: 'Observation',
  status: 'active',
  select: [
    {
      column: [
        { name: 'id', path: 'id', type: 'id' },
        { name: 'ts', path: 'meta.lastUpdated', type: 'instant' },
        { name: 'version', path: 'meta.versionId', type: 'string' },
        { name: 'code', path: 'code.coding.first().code', type: 'string' },
      ],
    },
  ],
};
