import { describe, expect, it } from '@jest/globals';
import { compileView, validateView } from '../../../app/view/compile-view.ts';
import { nameFhirVersion } from '../../../app/view/view-definition.ts';
import { aColumn, aView } from '../../helpers/views.ts';

const MEDICATION = { concept: { coding: [{ system: 'urn:s', code: 'aspirin' }] }, reference: { reference: 'Medication/m1' } };

/** Path, resource, and what it yields under R5. */
const R5_CASES: readonly [string, object, unknown][] = [
  ['medication.concept.coding.first().code', { resourceType: 'MedicationRequest', medication: MEDICATION }, 'aspirin'],
  ['medication.reference.getReferenceKey(Medication)', { resourceType: 'MedicationRequest', medication: MEDICATION }, 'm1'],
  [
    "class.where(coding.exists(code = 'AMB')).coding.first().code",
    { resourceType: 'Encounter', class: [{ coding: [{ code: 'AMB' }] }] },
    'AMB',
  ],
  ['actualPeriod.start', { resourceType: 'Encounter', actualPeriod: { start: '2026-01-01T00:00:00Z' } }, '2026-01-01T00:00:00Z'],
  ['value.ofType(Attachment).title', { resourceType: 'Observation', valueAttachment: { title: 'T' } }, 'T'],
  ['name.first().family', { resourceType: 'Patient', name: [{ family: 'Smith' }] }, 'Smith'],
];
const ofType = (path: string, resource: object, rest: object = {}): object =>
  aColumn(path, {}, { resource: (resource as { resourceType: string }).resourceType, ...rest });

describe('a view of FHIR R5', () => {
  it.each(R5_CASES)('is checked and evaluated by the tables of R5, compiled and interpreted: %s', (path, resource, expected) => {
    const view = ofType(path, resource, { fhirVersion: ['5.0.0'] });
    const rows = [false, true].map((interpret) => compileView(view, { interpret }).evaluate(resource as never));
    expect(rows).toEqual([[[expected]], [[expected]]]);
    expect(compileView(view).fallbacks).toEqual([]);
  });

  it.each([R5_CASES[0], R5_CASES[2], R5_CASES[3]].flatMap((each) => (each === undefined ? [] : [each])))(
    'is refused under R4: %s',
    (path, resource) => {
      expect(validateView(ofType(path, resource))).not.toEqual([]);
      expect(validateView(ofType(path, resource), 'R5')).toEqual([]);
    },
  );

  it('leaves what only R4 has: the class of an Encounter is a Coding there', () => {
    const encounter = { resourceType: 'Encounter', class: { code: 'AMB' } };
    expect(compileView(ofType('class.code', encounter)).evaluate(encounter)).toEqual([['AMB']]);
    expect(validateView(ofType('class.code', encounter), 'R5').map(({ message }) => message)).toEqual([
      expect.stringContaining('CodeableConcept has no element "code"'),
    ]);
  });

  it('types columns by the tables of R5', () => {
    const column = { name: 'size', path: 'content.first().attachment.size' };
    const view = aView({ column: [column] }, { resource: 'DocumentReference' });
    const typeUnder = (release: 'R4' | 'R5') => compileView(view, { fhirVersion: release }).columns[0]?.fhirType;
    expect([typeUnder('R4'), typeUnder('R5')]).toEqual(['unsignedInt', 'integer64']);
  });
});

describe('fhirVersion of a view', () => {
  const problemsOf = (fhirVersion: unknown) =>
    validateView(aColumn('id', {}, { fhirVersion })).map(({ path, message }) => `${path}: ${message}`);

  it.each([[['4.0.1']], [['4.0']], [['5.0.0']], [['3.0.2', '5.0']], [[]]])('may be %j', (fhirVersion) => {
    expect(problemsOf(fhirVersion)).toEqual([]);
  });

  it.each([
    [['4.3.0'], 'fhirVersion: found "4.3.0"; supported are "4.0.1" (R4) and "5.0.0" (R5)'],
    [['6.0.0-ballot2', '3.0'], 'fhirVersion: found "6.0.0-ballot2", "3.0"; supported are "4.0.1" (R4) and "5.0.0" (R5)'],
    ['4.0.1', 'fhirVersion: expected a list of codes such as ["4.0.1"]'],
    [[4], 'fhirVersion: expected a list of codes such as ["4.0.1"]'],
  ])('is a problem when it is %j', (fhirVersion, problem) => {
    expect(problemsOf(fhirVersion)).toEqual([problem]);
  });

  it('decides over the default; of several the default is taken', () => {
    const path = 'class.code';
    const check = (fhirVersion: readonly string[]) =>
      validateView(aColumn(path, {}, { resource: 'Encounter', fhirVersion }), 'R5').length;
    expect([check(['4.0.1']), check(['4.0.1', '5.0.0'])]).toEqual([0, 1]);
  });

  it('is written into a copy that is kept, so that a change of the default does not change its meaning', () => {
    const named = (fhirVersion?: unknown) => nameFhirVersion({ ...aColumn('id'), fhirVersion }, 'R5');
    expect([named(), named([]), named(['4.0.1']), named(['4.0.1', '5.0.0']), named('x')]).toMatchObject([
      { fhirVersion: ['5.0.0'] },
      { fhirVersion: ['5.0.0'] },
      { fhirVersion: ['4.0.1'] },
      { fhirVersion: ['5.0.0'] },
      { fhirVersion: 'x' },
    ]);
  });
});
