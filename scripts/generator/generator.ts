import { makeRandom } from './random.ts';
import { makeCondition, makeEncounter, makeObservation, makePatient, type GeneratedResource } from './resources.ts';

/** Makes resources one after the other; ids are unique within a seed and name it. */
export interface Generator {
  patient(): GeneratedResource;
  encounter(patientId: string): GeneratedResource;
  condition(patientId: string, encounterId?: string): GeneratedResource;
  observation(patientId: string, encounterId?: string): GeneratedResource;
}

/**
 * Realistic FHIR R4 resources of invented people: the same seed gives the same resources in the same order.
 *
 * @param seed an unsigned 32-bit integer
 */
export function makeGenerator(seed: number): Generator {
  const random = makeRandom(seed);
  let count = 0;
  const nextId = (letter: string): string => `${letter}-${seed}-${++count}`;
  return {
    patient: () => makePatient(random, nextId('p')),
    encounter: (patientId) => makeEncounter(random, nextId('e'), patientId),
    condition: (patientId, encounterId) => makeCondition(random, nextId('c'), patientId, encounterId),
    observation: (patientId, encounterId) => makeObservation(random, nextId('o'), patientId, encounterId),
  };
}
