import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from '@jest/globals';
import { compileView } from '../../../app/view/compile-view.ts';
import type { Resource } from '../../../app/view/compiled-view.ts';
import { compileExpression } from '../../../app/view/expression.ts';
import { fhirModel } from '../../../app/view/fhir-model.ts';
import { VIEW_TOO_SLOW, WIDE_BOUNDS } from '../../../app/view/limits.ts';
import { aColumn, aView, errorOf } from '../../helpers/views.ts';
import { prepare } from '../../helpers/view-fuzz/run-fuzz.ts';

const PATIENT = {
  resourceType: 'Patient',
  id: 'p1',
  active: true,
  gender: 'female',
  birthDate: '1978-03-12',
  name: [
    { use: 'official', family: 'Smith', given: ['Ann', 'Bea'] },
    { use: 'old', family: 'Jones' },
  ],
  contact: [{ name: { family: 'Kin' } }],
  multipleBirthInteger: 2,
  managingOrganization: { reference: 'Organization/o-1' },
  extension: [{ url: 'urn:u', valueString: 'v' }],
};

/** Rows of the compiled function alone, or `interpreter` when it leaves the resource to that. */
function fastRows(view: object, resource: Resource): unknown {
  const fast = prepare(view)?.compiled.makeFast?.();
  if (fast === undefined) throw new Error('nothing was compiled');
  try {
    return fast(resource);
  } catch {
    return 'interpreter';
  }
}

function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  return undefined;
}

describe('a compiled view', () => {
  it.each([
    ['id', 'p1'],
    ['Patient.name.first().family', 'Smith'],
    ["name.where(use = 'official').given.join(' ')", 'Ann Bea'],
    ['name[1].family', 'Jones'],
    ["name.exists(use = 'none')", false],
    ['multipleBirth.ofType(integer)', 2],
    ["extension('urn:u').value.ofType(string)", 'v'],
    ['name.count()', 2],
    ["gender in ('male' | 'female')", true],
    ["iif(active, 'yes', 'no')", 'yes'],
    ['%resource.name.last().family', 'Jones'],
    ['deceased.exists()', false],
    ["name.where(use = 'official').first().family.upper() & '!'", 'SMITH!'],
    ['managingOrganization.getReferenceKey(Organization)', 'o-1'],
    ['managingOrganization.getReferenceKey(Patient)', null],
  ])('evaluates without fhirpath.js: %s', (path, expected) => {
    expect(fastRows(aColumn(path), PATIENT)).toEqual([[expected]]);
    expect(compileView(aColumn(path)).fallbacks).toEqual([]);
  });

  it.each([
    ['a list where the model has one', 'gender', { gender: ['a'] }],
    ['one where the model has a list', 'name.first().family', { name: { family: 'X' } }],
    ['null in a list of objects', 'name.count()', { name: [null, { family: 'X' }] }],
    ['null in a list that is counted', 'name.given.count()', { name: [{ given: ['a', null] }] }],
    ['a list in a list', 'name.given.first()', { name: [{ given: [['a']] }] }],
    ['metadata instead of a value that is asked for', 'gender.exists()', { gender: undefined, _gender: { id: 'x' } }],
    ['more metadata than values', 'name.given.count()', { name: [{ given: ['a'], _given: [null, { id: 'x' }] }] }],
    ['metadata beside an object', 'maritalStatus.text', { maritalStatus: {}, _maritalStatus: { text: 'x' } }],
    ['two variants of a choice', 'multipleBirth.ofType(integer)', { multipleBirthBoolean: true }],
    ['two variants of a choice that is only tested', 'deceased.exists()', { deceasedBoolean: true, deceasedDateTime: '2020' }],
    ['several values for one column', 'name.family', {}],
    ['a text instead of an object', 'maritalStatus.text', { maritalStatus: 'x' }],
    ['a list instead of an object', 'maritalStatus.coding.first().code', { maritalStatus: [{ coding: [{ code: 'M' }] }] }],
    ['a text instead of an object in a list', 'maritalStatus.coding.first().code', { maritalStatus: { coding: ['x'] } }],
    ['a list instead of an object in a list', 'maritalStatus.coding.first().code', { maritalStatus: { coding: [[]] } }],
    ['a number instead of a reference', 'managingOrganization.getReferenceKey(Organization)', { managingOrganization: 1 }],
    ['a text instead of an extension', "contact.first().extension('urn:u').value.ofType(string)", { contact: ['x'] }],
    ['a text instead of an object that has a choice', 'identifier.first().period.start', { identifier: [{ period: 'x' }] }],
    ['an object that says it is a resource', 'maritalStatus.text', { maritalStatus: { resourceType: 'text', text: 'x' } }],
    [
      'a variant of a choice that says it is of another type',
      "extension('urn:u').value.ofType(Quantity).unit",
      { extension: [{ url: 'urn:u', valueCodeableConcept: { resourceType: 'Quantity', unit: 'x' } }] },
    ],
    ['a negative zero', 'multipleBirth.ofType(integer)', { multipleBirthInteger: -0 }],
    ['a text where a boolean is expected', 'active.not()', { active: 'yes' }],
    ['metadata behind a list that is shorter', 'name.count()', { name: [{ family: 'X' }], _name: [null, { id: 'x' }] }],
    ['a number that is nearly equal', 'multipleBirth.ofType(integer) = 2', { multipleBirthInteger: 2.000000001 }],
    [
      'a fault behind the item that first() takes',
      "name.where(use >= 'a').first().family",
      { name: [{ use: 'b', family: 'X' }, { use: ['c', 'd'] }] },
    ],
    ['an element where repeat does not expect it', '', { name: [{ contact: [{ name: {} }] }] }],
  ])('leaves a resource to the interpreter that has %s', (_title, path, change) => {
    const view = path === '' ? aView({ repeat: ['contact', 'name'], column: [{ name: 'x', path: 'text' }] }) : aColumn(path);
    const resource = { ...PATIENT, ...change } as unknown as Resource;
    if (path !== '') expect(fastRows(view, resource)).toBe('interpreter');
    const run = (evaluate: (resource: Resource) => unknown): unknown => {
      try {
        return evaluate(resource);
      } catch (error) {
        return String(error);
      }
    };
    const both = prepare(view);
    expect(run((each) => compileView(view).evaluate(each))).toEqual(run((each) => both?.interpreter.evaluate(each)));
  });

  it('leaves a resource to the interpreter that has metadata beside what several columns begin with', () => {
    const paths = ['maritalStatus.coding.first().code', 'maritalStatus.coding.first().display', 'maritalStatus.text'];
    const view = aView({ column: paths.map((path, index) => ({ name: `c${index}`, path })) });
    const coded = { coding: [{ code: 'M', display: 'Married' }] };
    expect(fastRows(view, { ...PATIENT, maritalStatus: coded })).toEqual([['M', 'Married', null]]);
    const resource = { ...PATIENT, maritalStatus: coded, _maritalStatus: { text: 'married' } };
    expect(fastRows(view, resource)).toBe('interpreter');
    expect(compileView(view).evaluate(resource)).toEqual([['M', 'Married', 'married']]);
  });

  it('says which expressions it leaves to fhirpath.js, and why', () => {
    const view = aView({
      column: [
        { name: 'id', path: 'id' },
        { name: 'old', path: 'birthDate < @1980-01-01' },
      ],
      select: [{ forEach: 'name.distinct()', column: [{ name: 'family', path: 'family' }] }],
    });
    const compiled = compileView(view);
    expect(compiled.fallbacks).toEqual([
      {
        path: 'select[0].column[1].path',
        expression: 'birthDate < @1980-01-01',
        column: 'old',
        reason: 'a date, time, quantity or long number',
      },
      { path: 'select[0].select[0].forEach', expression: 'name.distinct()', reason: 'function distinct()' },
      {
        path: 'select[0].select[0].column[0].path',
        expression: 'family',
        column: 'family',
        reason: 'what it stands on is left to fhirpath.js',
      },
    ]);
    expect(compiled.evaluate(PATIENT)).toEqual([
      ['p1', true, 'Smith'],
      ['p1', true, 'Jones'],
    ]);
  });

  it('gives fallbacks inside of an iteration the right element and row', () => {
    const view = aView({
      forEach: 'name',
      column: [
        { name: 'a', path: "family.replace('n', %resource.id) & %rowIndex.toString()" },
        { name: 'b', path: 'given.toString()', collection: true },
      ],
    });
    const one = compileView(view).evaluate({ ...PATIENT, name: [{ family: 'Jones', given: ['x'] }, { family: 'n' }] });
    expect(one).toEqual([
      ['Jop1es0', ['x']],
      ['p11', []],
    ]);
  });

  it('makes products of several iterations in the order of SQL on FHIR', () => {
    const select = [
      { forEach: 'name', column: [{ name: 'a', path: 'use' }] },
      { forEachOrNull: 'contact', column: [{ name: 'b', path: 'name.family' }] },
      { unionAll: [{ column: [{ name: 'c', path: "'x'" }] }, { forEach: 'name.given', column: [{ name: 'c', path: '$this' }] }] },
    ];
    expect(fastRows(aView({ select }), PATIENT)).toEqual([
      ['official', 'Kin', 'x'],
      ['official', 'Kin', 'Ann'],
      ['official', 'Kin', 'Bea'],
      ['old', 'Kin', 'x'],
      ['old', 'Kin', 'Ann'],
      ['old', 'Kin', 'Bea'],
    ]);
  });

  it('stays small when unions multiply', () => {
    const union = (depth: number): object =>
      depth === 0 ? { column: [{ name: 'x', path: 'id' }] } : { unionAll: [union(depth - 1), union(depth - 1)] };
    const many = Array.from({ length: 12 }, (_, index) => ({
      unionAll: ['id', 'gender'].map((path) => ({ column: [{ name: `c${index}`, path, type: 'string' }] })),
    }));
    expect(compileView(aView(union(7))).evaluate(PATIENT)).toHaveLength(128);
    const rows = fastRows(aView({ select: many }), PATIENT) as unknown[];
    expect(rows).toHaveLength(4096);
  });

  it('that would be too long is left to the interpreter as a whole', () => {
    const nested = (depth: number): string =>
      depth === 0 ? "'x'" : `iif(%resource.active, ${nested(depth - 1)}, %resource.gender)`;
    const path = `${nested(3)}${`.select(${nested(3)})`.repeat(12)}.first()`;
    const view = compileView(aColumn(path));
    expect(view.fallbacks).toEqual([{ path: '', expression: '', reason: 'more than 1000000 characters of code' }]);
    expect(view.evaluate(PATIENT)).toEqual([['x']]);
  });
});

describe('the text of a view never becomes code', () => {
  const HOSTILE = [
    "'; globalThis.hacked = 1; '",
    '`${globalThis.hacked = 1}`',
    '"]; globalThis.hacked = 1; //',
    '\u2028globalThis.hacked = 1\u2029',
    "\\'; globalThis.hacked = 1; //",
    '*/ globalThis.hacked = 1 /*',
    '__proto__',
    'constructor',
    '</script>',
  ];
  const quote = (text: string): string => `'${text.replace(/[\\']/g, (character) => `\\${character}`)}'`;

  it.each(HOSTILE)('as a literal, an argument or a constant: %j', (text) => {
    const literal = quote(text);
    const paths = [
      literal,
      `name.where(family = ${literal}).first().family`,
      `extension(${literal}).value.ofType(string)`,
      `name.given.join(${literal})`,
      `gender in (${literal} | 'x')`,
      `%text & ${literal}`,
      `id.startsWith(${literal})`,
    ];
    const view = aView(
      { column: paths.map((path, index) => ({ name: `c${index}`, path })) },
      { constant: [{ name: 'text', valueString: text }] },
    );
    const resource = { ...PATIENT, name: [{ family: text, given: ['a', 'b'] }], extension: [{ url: text, valueString: text }] };
    expect(fastRows(view, resource)).toEqual([[text, text, text, `a${text}b`, false, text + text, false]]);
    expect(globalThis).not.toHaveProperty('hacked');
  });

  it.each(HOSTILE)('as the name of an element: %j', (text) => {
    expect(() => compileView(aColumn(`\`${text.replaceAll('`', '')}\``))).toThrow();
    expect(globalThis).not.toHaveProperty('hacked');
  });
});

it('a process that may not generate code interprets the whole view', () => {
  const script = `
    import { compileView } from './app/view/compile-view.ts';
    const view = compileView(${JSON.stringify(aColumn('name.first().family'))});
    console.log(JSON.stringify([view.evaluate(${JSON.stringify(PATIENT)}), view.fallbacks]));
  `;
  const args = ['--disallow-code-generation-from-strings', '--import', 'tsx', '--input-type=module', '--eval', script];
  const output = execFileSync(process.execPath, args, {
    cwd: fileURLToPath(new URL('../../../', import.meta.url)),
    encoding: 'utf8',
  });
  expect(JSON.parse(output)).toEqual([[['Smith']], [{ path: '', expression: '', reason: 'this process may not generate code' }]]);
});

describe('hostile resources', () => {
  it('with 100,000 items to iterate give all rows', () => {
    const view = compileView(aView({ forEach: 'name', column: [{ name: 'x', path: 'family' }] }));
    const name = Array.from({ length: 100_000 }, (_, index) => ({ family: `f${index}` }));
    expect(view.evaluate({ resourceType: 'Patient', name })).toHaveLength(100_000);
  });

  it.each([
    [
      'more rows than allowed',
      aView({ forEach: 'name', column: [{ name: 'x', path: 'family' }] }),
      100_001,
      'rows: one resource gave more than 100000 rows',
    ],
    [
      'rows that multiply',
      aView({ select: [0, 1].map((index) => ({ forEach: 'name', column: [{ name: `c${index}`, path: 'family' }] })) }),
      1_000,
      'rows: one resource gave more than 100000 rows',
    ],
  ])('end with an error that says so: %s', (_title, view, count, reason) => {
    const name = Array.from({ length: count }, () => ({ family: 'CANARY' }));
    const { code, message } = errorOf(() => compileView(view).evaluate({ resourceType: 'Patient', name }));
    expect([code, message]).toEqual(['VIEW_EVALUATION_FAILED', `view test_view, ${reason}`]);
  });

  it.each([
    ['items that fhirpath.js compares with each other', 'name.family.distinct().count()', 10_001, 'more than 10000 values'],
    ['items that a union compares with each other', '(name.family | id).count()', 10_001, 'more than 10000 values'],
  ])('end with an error for too many %s', (_title, path, count, reason) => {
    const name = Array.from({ length: count }, (_, index) => ({ family: `f${index}` }));
    const { code, message } = errorOf(() => compileView(aColumn(path)).evaluate({ resourceType: 'Patient', id: 'p', name }));
    expect([code, message]).toEqual(['VIEW_EVALUATION_FAILED', expect.stringContaining(reason)]);
  });

  it('end with an error for too many steps that fhirpath.js takes', () => {
    const bounds = { ...WIDE_BOUNDS, steps: 1_000 };
    const run = compileExpression("name.select(family.replace('a', 'b'))", fhirModel('R4'), {}, { steps: 0, bounds });
    const name = Array.from({ length: 500 }, () => ({ family: 'a' }));
    expect(() => run([{ resourceType: 'Patient', name }], {})).toThrow('the view took more than 1000 steps for one resource');
  });

  it.each([
    ['steps that fhirpath.js takes', "name.where(family.replace('a', 'b') = 'q').count()", 10_000],
    ['items that fhirpath.js compares with each other', 'name.family.distinct().count()', 201],
    ['rows', undefined, 50_001],
  ])('are handed back by a view that must be quick, and give rows elsewhere: too many %s', (_title, path, count) => {
    const forEach = { forEach: 'name', column: ['a', 'b'].map((name) => ({ name, path: 'family' })) };
    const view = path === undefined ? aView(forEach) : aColumn(path);
    const name = Array.from({ length: count }, (_, index) => ({ family: `f${index}` }));
    const resource = { resourceType: 'Patient', name };
    expect(thrownBy(() => compileView(view, { quick: true }).evaluate(resource))).toBe(VIEW_TOO_SLOW);
    expect(compileView(view).evaluate(resource)).not.toEqual([]);
    // The next one is not held to what this one took.
    const small = { resourceType: 'Patient', name: name.slice(0, 10) };
    expect(compileView(view, { quick: true }).evaluate(small)).toEqual(compileView(view).evaluate(small));
  });

  it('are handed back when loops over the whole resource multiply', () => {
    const nested = (depth: number): string => (depth === 0 ? "family = 'x'" : `%resource.name.exists(${nested(depth - 1)})`);
    const name = Array.from({ length: 100 }, () => ({ family: 'a' }));
    const view = compileView(aColumn(nested(6)), { quick: true });
    expect(thrownBy(() => view.evaluate({ resourceType: 'Patient', name }))).toBe(VIEW_TOO_SLOW);
  });

  it('nested 10,000 levels deep end with an error where repeat follows them, and with rows where it does not', () => {
    let item: object = { linkId: 'last' };
    for (let level = 0; level < 10_000; level++) item = { linkId: 'l', item: [item] };
    const resource = { resourceType: 'QuestionnaireResponse', id: 'q', item: [item] };
    const repeat = aView({ repeat: ['item'], column: [{ name: 'x', path: 'linkId' }] }, { resource: 'QuestionnaireResponse' });
    expect(errorOf(() => compileView(repeat).evaluate(resource)).message).toContain('more than 500 levels');
    const flat = aView({ forEach: 'item', column: [{ name: 'x', path: 'linkId' }] }, { resource: 'QuestionnaireResponse' });
    expect(compileView(flat).evaluate(resource)).toEqual([['l']]);
  });
});
