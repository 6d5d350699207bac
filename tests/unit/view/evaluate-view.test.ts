import { describe, expect, it } from '@jest/globals';
import { compileView } from '../../../app/view/compile-view.ts';
import type { Resource } from '../../../app/view/compiled-view.ts';
import { parseExactly } from '../../../app/view/exact-json.ts';
import { aColumn, aView, errorOf, evaluateColumn, freezeDeeply, PATIENT_FLAT } from '../../helpers/views.ts';

const PATIENT: Resource = freezeDeeply({
  resourceType: 'Patient',
  id: 'p1',
  meta: {
    lastUpdated: '2026-04-01T10:00:00.123456Z',
    extension: [
      { url: 'https://aidbox.app/ex/createdAt', valueInstant: '2025-01-01T00:00:00Z' },
      { url: 'urn:made', valueInstant: '2024-01-01T00:00:00Z' },
    ],
  },
  active: false,
  birthDate: '1978-03',
  _gender: { extension: [{ url: 'urn:u', valueString: 'unknown' }] },
  name: [
    { use: 'official', family: 'Smith', given: ['Ann', 'Bea'] },
    { use: 'old', family: 'Jones' },
  ],
  communication: [
    { language: { text: 'de' }, preferred: false },
    { language: { text: 'fr' }, preferred: true },
    { language: { text: 'it' } },
  ],
  generalPractitioner: [
    { reference: 'https://example.org/fhir/Practitioner/pr1/_history/2' },
    { reference: 'Organization/o1' },
    { reference: '#contained' },
    { reference: 'urn:uuid:53fefa32-fcbb-4ff8-8a92-55ee120877b7' },
    { display: 'none' },
  ],
});

const column = (path: string, resource: Resource = PATIENT): unknown => evaluateColumn(path, resource)[0];

describe('evaluating a view', () => {
  it("gives the rows of S0's patient_flat", () => {
    const view = compileView(PATIENT_FLAT);
    expect(view.columns.map(({ name, fhirType }) => `${name} ${fhirType}`)).toEqual([
      'id id',
      'gender code',
      'birth_date date',
      'family_name string',
      'given_name string',
    ]);
    expect(view.evaluate(PATIENT)).toEqual([['p1', null, '1978-03', 'Smith', 'Ann Bea']]);
  });

  it('gives no row for a resource of another type', () => {
    expect(compileView(PATIENT_FLAT).evaluate({ resourceType: 'Observation', id: 'o1' })).toEqual([]);
  });

  it('gives the same rows in any order of calls', () => {
    const view = compileView(aColumn('%resource.id & id'));
    const other = { resourceType: 'Patient', id: 'p2' };
    expect([PATIENT, other, PATIENT].map((resource) => view.evaluate(resource))).toEqual([[['p1p1']], [['p2p2']], [['p1p1']]]);
  });

  it.each([
    ['communication.where(preferred).language.text', 'fr'],
    ['communication.exists(preferred)', true],
    ['communication.where(language.text = %resource.communication[0].language.text).exists(preferred)', false],
    ['communication.all(preferred)', false],
    ["iif(active, 'yes', 'no')", 'no'],
    ['name.where(given.exists()).family', 'Smith'],
    ['name.where($index = 1).family', 'Jones'],
  ])('tests criteria by value, not by presence: %s', (path, expected) => {
    expect(column(path)).toBe(expected);
  });

  it.each([
    ['birthDate = @1978-03', true],
    ['birthDate = @1979-03', false],
    ['birthDate', '1978-03'],
    ['birthDate.lowBoundary()', '1978-03-01'],
    ['birthDate.highBoundary()', '1978-03-31'],
    ['meta.lastUpdated > @2026-01-01T00:00:00Z', true],
    ['@2026-01-01T00:00:00.lowBoundary() < @2026-01-01T00:00:00Z', true],
  ])('compares and bounds dates and times: %s', (path, expected) => {
    expect(column(path)).toBe(expected);
  });

  it.each([
    ['0.1 + 0.2', 0.3],
    ['1 / 4', 0.25],
    ['3', 3],
    ['1.50', 1.5],
    ['name.count()', 2],
  ])('computes decimals exactly: %s', (path, expected) => {
    expect(column(path)).toBe(expected);
  });

  it('compares with temporal constants', () => {
    const view = aColumn('birthDate = %bd', {}, { constant: [{ name: 'bd', valueDate: '1978-03' }] });
    expect(compileView(view).evaluate(PATIENT)).toEqual([[true]]);
  });

  it('gives null for an element that has only extensions', () => {
    expect(column('gender')).toBeNull();
    expect(column('gender.exists()')).toBe(true);
    expect(column("gender.extension('urn:u').value.ofType(string)")).toBe('unknown');
  });

  it('leaves items without a value out of a list', () => {
    const view = compileView(aColumn('name.given', { collection: true }));
    const resource = { resourceType: 'Patient', name: [{ given: [null, 'B'], _given: [{ id: 'x' }] }] };
    expect(view.evaluate(resource)).toEqual([[['B']]]);
  });

  it('gives an empty list, not null, for a collection column without values', () => {
    expect(compileView(aColumn('address.city', { collection: true })).evaluate(PATIENT)).toEqual([[[]]]);
  });
});

describe('keys and times', () => {
  it('takes reference keys from relative, absolute and versioned references, filtered by type', () => {
    const keys = (path: string): unknown => compileView(aColumn(path, { collection: true })).evaluate(PATIENT)[0]?.[0];
    expect(keys('generalPractitioner.getReferenceKey()')).toEqual(['pr1', 'o1']);
    expect(keys('generalPractitioner.getReferenceKey(Organization)')).toEqual(['o1']);
    expect(keys('generalPractitioner.getReferenceKey(Patient)')).toEqual([]);
  });

  it('takes reference keys with underscores, as Aidbox allows in ids', () => {
    const view = compileView(aColumn('generalPractitioner.getReferenceKey()', { collection: true }));
    const generalPractitioner = [{ reference: 'Practitioner/p_1' }, { reference: 'http://h/fhir/Practitioner/p_2/_history/3' }];
    expect(view.evaluate({ resourceType: 'Patient', generalPractitioner })).toEqual([[['p_1', 'p_2']]]);
  });

  it.each(['ex:createdAt', 'https://aidbox.app/ex/createdAt', 'https://fhir.aidbox.app/fhir/StructureDefinition/created-at'])(
    'finds the time of creation at %s without a setting',
    (url) => {
      const meta = { extension: [{ url, valueInstant: '2025-01-01T00:00:00Z' }] };
      expect(compileView(aColumn('getAidboxCts()')).evaluate({ resourceType: 'Patient', meta })).toEqual([
        ['2025-01-01T00:00:00Z'],
      ]);
    },
  );

  it('finds getAidboxTs() and getAidboxCts() of the resource on every level', () => {
    const view = aView({
      forEach: 'name',
      column: [
        { name: 'ts', path: 'getAidboxTs()' },
        { name: 'cts', path: 'getAidboxCts()' },
      ],
    });
    expect(compileView(view).evaluate(PATIENT)[1]).toEqual(['2026-04-01T10:00:00.123456Z', '2025-01-01T00:00:00Z']);
    expect(compileView(view, { createdAtUrl: 'urn:made' }).evaluate(PATIENT)[0]?.[1]).toBe('2024-01-01T00:00:00Z');
    expect(compileView(view).evaluate({ resourceType: 'Patient', name: [{}] })).toEqual([[null, null]]);
  });
});

describe('forEachOrNull without anything to iterate', () => {
  const nested = (inner: object): unknown =>
    compileView(aView({ forEachOrNull: 'contact', ...inner })).evaluate({ resourceType: 'Patient', id: 'p' });

  it.each([
    ['a literal', { column: [{ name: 'a', path: "'lit'" }] }, [[null]]],
    ['exists()', { column: [{ name: 'a', path: 'name.family.exists()' }] }, [[null]]],
    ['%rowIndex', { column: [{ name: 'a', path: '%rowIndex' }] }, [[0]]],
    [
      'a nested forEach',
      { column: [{ name: 'a', path: 'id' }], select: [{ forEach: 'telecom', column: [{ name: 'b', path: 'value' }] }] },
      [[null, null]],
    ],
    ['a union', { unionAll: [{ column: [{ name: 'a', path: 'id' }] }, { column: [{ name: 'a', path: 'gender' }] }] }, [[null]]],
  ])('gives one row of nulls: %s', (_title, inner, rows) => {
    expect(nested(inner)).toEqual(rows);
  });
});

describe('a failed evaluation', () => {
  it('names view, column and expression, never a value', () => {
    const { code, message } = errorOf(() => compileView(aColumn('name.family')).evaluate(PATIENT));
    expect(code).toBe('VIEW_EVALUATION_FAILED');
    expect(message).toBe(
      'view test_view, column "x" (name.family): it gave 2 values; set "collection" to true, or choose one with first()',
    );
  });

  it.each([
    ['an operand with several values', "name.family = 'Smith' and name.family"],
    ['a criterion with several values', 'contained.where(name.family).id'],
    ['an object where a primitive is wanted', 'contained.name.first()'],
    ['join on numbers', "contained.multipleBirthInteger.join(',')"],
    ['arithmetic on a text', 'id + 1'],
    ['a function on several values', 'name.family.toString()'],
  ])('of any kind is an AppError without data: %s', (_title, path) => {
    const resource = {
      ...PATIENT,
      contained: [
        { resourceType: 'Patient', id: 'c', multipleBirthInteger: 7, name: [{ family: 'Smith' }, { family: 'Jones' }] },
      ],
    };
    const { code, message } = errorOf(() => compileView(aColumn(path)).evaluate(resource));
    expect(code).toBe('VIEW_EVALUATION_FAILED');
    expect(message.replace(path, '')).not.toMatch(/Smith|Jones|1978|p1/);
  });

  it('does not come from a condition on a boolean that has only extensions', () => {
    const view = compileView(aColumn('id', {}, { where: [{ path: 'active' }] }));
    expect(view.evaluate({ resourceType: 'Patient', id: 'p', _active: { id: 'x' } })).toEqual([]);
  });

  it('comes from a condition that is no boolean', () => {
    const view = compileView(aColumn('id', {}, { where: [{ path: 'contained.name.family' }] }));
    expect(
      errorOf(() =>
        view.evaluate({ resourceType: 'Patient', contained: [{ resourceType: 'Patient', name: [{ family: 'Smith' }] }] }),
      ).code,
    ).toBe('VIEW_EVALUATION_FAILED');
  });

  it.each([
    ['names that multiply', aColumn(`${'name.select(%resource.name)'}${'.select(%resource.name)'.repeat(20)}.count()`)],
    ['a text that doubles', aColumn(`id${'.select($this + $this)'.repeat(40)}.length()`)],
    ['a text that doubles by replace', aColumn(`id${".replace('p', 'pp')".repeat(40)}.length()`)],
    ['a repeat without end', aView({ repeat: ["'x'"], column: [{ name: 'x', path: '$this' }] })],
    [
      'rows that multiply',
      aView({ select: Array.from({ length: 20 }, (_, i) => ({ forEach: 'name', column: [{ name: `c${i}`, path: 'use' }] })) }),
    ],
  ])('ends what would eat the machine: %s', (_title, view) => {
    expect(errorOf(() => compileView(view).evaluate(PATIENT)).code).toBe('VIEW_EVALUATION_FAILED');
  });

  it('ends a collection that is too long', () => {
    const { message } = errorOf(() =>
      compileView(aColumn('id.toChars().count()')).evaluate({ resourceType: 'Patient', id: 'x'.repeat(1_000_001) }),
    );
    expect(message).toContain('more than 1000000 values');
  });

  it('does not spoil the next resource', () => {
    const view = compileView(aColumn('name.family'));
    expect(() => view.evaluate(PATIENT)).toThrow();
    expect(view.evaluate({ resourceType: 'Patient', name: [{ family: 'A' }] })).toEqual([['A']]);
  });
});

describe('exact decimals', () => {
  const TEXT = '{"resourceType":"Observation","valueQuantity":{"value":1.0},"note":"1.0 \\" 2.50"}';

  it('are kept as they were written, and change nothing else', () => {
    const resource = parseExactly(TEXT) as Resource;
    expect(column('value.ofType(Quantity).value', resource)).toBe('1.0');
    expect(column('value.ofType(Quantity).value.lowBoundary()', resource)).toBe(0.95);
    expect(resource['note']).toBe('1.0 " 2.50');
    expect(JSON.parse(JSON.stringify(resource))).toEqual(JSON.parse(TEXT));
  });

  it('are lost by JSON.parse, so a view with boundaries says that it needs them', () => {
    const view = compileView(aColumn('value.ofType(Quantity).value.lowBoundary()', {}, { resource: 'Observation' }));
    expect(view.needsExactDecimals).toBe(true);
    expect(view.evaluate(JSON.parse(TEXT) as Resource)).toEqual([[0.5]]);
    expect(compileView(PATIENT_FLAT).needsExactDecimals).toBe(false);
    expect(compileView(aColumn('id', {}, { where: [{ path: 'birthDate.lowBoundary() > @1970' }] })).needsExactDecimals).toBe(
      true,
    );
  });

  it.each(['01', '1.', '-', '{"a":01.0}', '[1.0 2.0]', '{"a":-01.50}', '"a', ''])('refuse what is not JSON: %j', (text) => {
    expect(() => parseExactly(text)).toThrow(SyntaxError);
  });
});
