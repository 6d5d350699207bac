import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import type { Availability } from '../../helpers/services/availability.ts';

/** A resource as its JSON says. */
export interface SyntheaResource {
  readonly resourceType: string;
  readonly id: string;
  readonly [element: string]: unknown;
}

export const SYNTHEA_TYPES = [
  'Patient',
  'Practitioner',
  'Encounter',
  'Condition',
  'Procedure',
  'MedicationRequest',
  'Immunization',
  'AllergyIntolerance',
  'Observation',
] as const;
export type SyntheaType = (typeof SYNTHEA_TYPES)[number];

/** All resources of one type. */
export type ReadSynthea = (type: SyntheaType) => readonly SyntheaResource[];

const DIRECTORY = new URL('../../../../shared/data/synthea/', import.meta.url);

export function findSynthea(): Availability<ReadSynthea> {
  const name = 'Synthea data';
  if (existsSync(DIRECTORY)) return { name, found: readResources };
  return { name, enableBy: 'put ../shared/data/synthea beside the checkout', needsPerson: true };
}

function readResources(type: SyntheaType): readonly SyntheaResource[] {
  const text = gunzipSync(readFileSync(new URL(`${type}.ndjson.gz`, DIRECTORY))).toString('utf8');
  // Some refer by URN, as in a transaction Bundle; a server turns these into `Type/id`.
  return text
    .replaceAll(/("subject":\s*\{\s*"reference":\s*")urn:uuid:/g, '$1Patient/')
    .replaceAll(/("encounter":\s*\{\s*"reference":\s*")urn:uuid:/g, '$1Encounter/')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as SyntheaResource);
}
