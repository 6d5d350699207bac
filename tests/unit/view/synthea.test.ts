import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { describe, expect, it } from '@jest/globals';
import type { Observation, Patient } from '@medplum/fhirtypes';
import { compileView } from '../../../app/view/compile-view.ts';
import type { Resource } from '../../../app/view/compiled-view.ts';
import { PATIENT_FLAT } from '../../helpers/views.ts';

const DIRECTORY = new URL('../../../../shared/data/synthea/', import.meta.url);

function readResources<T>(type: string): readonly T[] {
  const text = gunzipSync(readFileSync(new URL(`${type}.ndjson.gz`, DIRECTORY))).toString('utf8');
  // The data refer to patients by URN, as in a transaction Bundle; a server turns these into `Patient/id`.
  return text
    .replaceAll(/("subject":\s*\{\s*"reference":\s*")urn:uuid:/g, '$1Patient/')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

function flatten(view: unknown, resources: readonly object[]): unknown[] {
  const compiled = compileView(view);
  return resources.flatMap((resource) => compiled.evaluate(resource as Resource));
}

const OBSERVATION_VIEW = {
  name: 'observation_flat',
  resource: 'Observation',
  select: [
    {
      column: [
        { name: 'id', path: 'getResourceKey()' },
        { name: 'patient_id', path: 'subject.getReferenceKey(Patient)' },
        { name: 'effective', path: 'effective.ofType(dateTime)' },
        { name: 'value', path: 'value.ofType(Quantity).value' },
      ],
    },
    {
      forEachOrNull: 'component',
      column: [
        { name: 'component_no', path: '%rowIndex' },
        { name: 'component_code', path: 'code.coding.first().code' },
        { name: 'component_value', path: 'value.ofType(Quantity).value' },
      ],
    },
  ],
};

if (!existsSync(DIRECTORY)) {
  it.skip('views over Synthea data (skipped: ../shared/data/synthea is missing)', () => undefined);
} else {
  describe('views over Synthea data equal plain JavaScript', () => {
    it('for patient_flat', () => {
      const patients = readResources<Patient>('Patient');
      const expected = patients.flatMap((patient) => {
        const name = patient.name?.find(({ use }) => use === 'official');
        if (name === undefined) return [];
        return [
          [patient.id, patient.gender ?? null, patient.birthDate ?? null, name.family ?? null, name.given?.join(' ') ?? null],
        ];
      });
      expect(expected.length).toBeGreaterThan(1_000);
      expect(flatten(PATIENT_FLAT, patients)).toEqual(expected);
    });

    it('for observations with their components', () => {
      const observations = readResources<Observation>('Observation');
      const expected = observations.flatMap((observation) => {
        const base = [
          observation.id,
          observation.subject?.reference?.replace(/^Patient\//, '') ?? null,
          observation.effectiveDateTime ?? null,
          observation.valueQuantity?.value ?? null,
        ];
        const components = observation.component ?? [];
        if (components.length === 0) return [[...base, 0, null, null]];
        return components.map((component, index) => [
          ...base,
          index,
          component.code?.coding?.[0]?.code ?? null,
          component.valueQuantity?.value ?? null,
        ]);
      });
      expect(expected.filter(([, patientId]) => patientId !== null)).toHaveLength(expected.length);
      expect(expected.length).toBeGreaterThan(3_000);
      expect(flatten(OBSERVATION_VIEW, observations)).toEqual(expected);
    });
  });
}
