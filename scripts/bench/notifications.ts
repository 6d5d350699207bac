import { writeExactJson } from '../generator/exact-json.ts';
import { makeGenerator } from '../generator/generator.ts';

/** Makes notification bodies as Aidbox posts them: each event a new Observation of realistic size (about 800 bytes). */
export interface NotificationSource {
  /** Body of `events` events whose ids were never used before. */
  next(events: number): Buffer;
}

/** Of the benchmarks from the webhook on. */
export const EVENTS_PER_NOTIFICATION = 20;

const TEMPLATES = 200;

export function makeNotificationSource(seed: number, prefix: string): NotificationSource {
  const generator = makeGenerator(seed);
  const templates = Array.from({ length: TEMPLATES }, (_, index) => {
    const resource = writeExactJson({ ...generator.observation(`p-${index % 50}`), id: '' });
    return resource.replace('"id":"",', '').slice(1);
  });
  let count = 0;
  return {
    next(events) {
      const now = new Date().toISOString().replace('Z', '');
      const entries: string[] = [];
      for (let index = 0; index < events; index += 1) {
        const number = (count += 1);
        const id = `${prefix}-${number}`;
        const meta = `"meta":{"versionId":"${number}","lastUpdated":"${now}${String(number % 1000).padStart(3, '0')}Z"}`;
        entries.push(
          `{"fullUrl":"http://aidbox/fhir/Observation/${id}","request":{"method":"POST","url":"/fhir/Observation"},"resource":{"id":"${id}",${meta},${templates[number % TEMPLATES]}` +
            `,"extension":[{"url":"http://health-samurai.io/fhir/core/StructureDefinition/bundle-entryActionCode","valueCode":"create"}]}`,
        );
      }
      return Buffer.from(
        `{"resourceType":"Bundle","type":"history","timestamp":"${now.slice(0, 19)}Z","entry":[{"resource":{"resourceType":"AidboxSubscriptionStatus","status":"active","type":"event-notification"}},${entries.join(',')}]}`,
      );
    },
  };
}
