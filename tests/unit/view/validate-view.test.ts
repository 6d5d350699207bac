import { describe, expect, it } from '@jest/globals';
import { AppError } from '../../../app/errors/app-error.ts';
import { compileView, validateView } from '../../../app/view/compile-view.ts';
import { aColumn, aView, errorOf, PATIENT_FLAT } from '../../helpers/views.ts';

/** Problems of a view whose only column has this path. */
function problemsOf(path: string, rest: object = {}): string {
  return validateView(aColumn(path, {}, rest))
    .map(({ message }) => message)
    .join(' | ');
}

describe('a ViewDefinition', () => {
  it('that is good has no problem', () => {
    expect(validateView(PATIENT_FLAT)).toEqual([]);
  });

  it('that is bad gets one error which lists every problem with its place', () => {
    const view = aView(
      {
        column: [
          { name: '1st', path: 'id' },
          { name: 'a', path: 'foo' },
        ],
        forEach: 'name',
        repeat: ['name'],
      },
      { where: [{ path: 'name.family' }], constant: [{ name: 'c' }], name: '_bad' },
    );
    expect(validateView(view).map(({ path }) => path)).toEqual([
      'name',
      'select[0]',
      'select[0].column[0].name',
      'constant[0]',
      'where[0].path',
      'select[0].column[1].path',
    ]);
    const { code, message } = errorOf(() => compileView(view));
    expect(code).toBe('VIEW_INVALID');
    expect(message).toContain('select[0].column[1].path: HumanName has no element "foo" (line 1, column 1)');
    expect(message).toContain('where[0].path: the condition yields string; expected boolean');
  });

  it.each([
    ['null', null],
    ['a list', []],
    ['a text', 'x'],
    ['an empty object', {}],
    ['selects that are no list', { resource: 'Patient', select: {} }],
    ['no select', { resource: 'Patient', select: [] }],
    ['a select that is no object', { resource: 'Patient', select: [1] }],
    ['a select without anything', { resource: 'Patient', select: [{}] }],
    ['an unknown resource', aColumn('id', {}, { resource: 'constructor' })],
    ['an abstract resource', aColumn('id', {}, { resource: 'DomainResource' })],
    ['another resourceType', { ...aColumn('id'), resourceType: 'Patient' }],
    ['a misspelt element', aView({ colum: [], column: [{ name: 'x', path: 'id' }] })],
    ['a column without a path', aView({ column: [{ name: 'x' }] })],
    ['a collection that is no boolean', aColumn('id', { collection: 'yes' })],
    ['a complex column type', aColumn('id', { type: 'Coding' })],
    ['an unknown column type', aColumn('id', { type: 'strng' })],
    ['a repeat that is no list', aView({ repeat: 'name', column: [{ name: 'x', path: 'id' }] })],
    ['where that is no list', aColumn('id', {}, { where: { path: 'active' } })],
    ['constants that are no list', aColumn('id', {}, { constant: 1 })],
  ])('that is %s is refused and nothing else is thrown', (_title, view) => {
    expect(() => compileView(view)).toThrow(AppError);
    expect(validateView(view).length).toBeGreaterThan(0);
  });

  it.each(['a"b', "a'; DROP TABLE x", '__proto__', 'a b', '', 'ä', 'a\u2028b', 'x'.repeat(256)])(
    'cannot have a column named %j',
    (name) => {
      expect(validateView(aView({ column: [{ name, path: 'id' }] }))[0]?.path).toBe('select[0].column[0].name');
    },
  );

  it('cannot yield a column twice, also not in other case, as Delta ignores case', () => {
    const view = aView({ column: [{ name: 'id', path: 'id' }], select: [{ column: [{ name: 'ID', path: 'id' }] }] });
    expect(validateView(view)).toEqual([
      { path: 'select[0].select[0].column[0].name', message: 'column "ID" is already yielded by select[0].column[0]' },
    ]);
  });

  it('is bounded in depth, length and number of expressions', () => {
    let deep: object = { column: [{ name: 'x', path: 'id' }] };
    for (let level = 0; level < 20; level++) deep = { select: [deep] };
    const many = Array.from({ length: 2_001 }, (_, index) => ({ name: `c${index}`, path: 'id' }));
    expect(validateView(aView(deep))[0]?.message).toContain('nested more than 16 deep');
    expect(problemsOf(`'${'x'.repeat(4_000)}'`)).toContain('at most 4000 are allowed');
    expect(validateView(aView({ column: many })).some(({ message }) => message.includes('at most 2000'))).toBe(true);
    expect(problemsOf('('.repeat(3_900))).toContain('nested too deeply');
  });
});

describe('an expression', () => {
  it.each([
    ['@@', 'line 1, column 1'],
    ['name.where(', 'line 1, column 12'],
    ['name\n  .given)', 'line 2, column 9'],
    ["'abc", 'line 1, column 1'],
    ['a..b', 'a name or function is missing'],
  ])('%j that is no FHIRPath is refused with its place', (path, place) => {
    expect(problemsOf(path)).toContain('is not FHIRPath');
    expect(problemsOf(path)).toContain(place);
  });

  it.each([
    ['foo', 'Patient has no element "foo"'],
    ['name.first().foo', 'HumanName has no element "foo"'],
    ['name.where(foo = 1).family', 'HumanName has no element "foo"'],
    ['contact.foo', 'Patient.contact has no element "foo"'],
    ['deceasedBoolean', 'write deceased.ofType(boolean)'],
    ['name', 'the column yields HumanName'],
    ['Observation.status', 'begins with "Observation" but stands on Patient'],
    ['foo()', 'unknown function foo()'],
    ['where()', 'where() has 0 arguments; expected 1'],
    ['name.exists(true, true)', 'exists() has 2 arguments; expected 0 to 1'],
    ['%foo', 'constant %foo is not defined'],
    ['name.where(use = %foo).family', 'constant %foo is not defined'],
    ['deceased.ofType(Foo)', '"Foo" is not a FHIR R4 type'],
    ["link.other.getReferenceKey('Patient')", 'type names stand without quotes'],
    ['link.other.getReferenceKey(HumanName)', 'takes a resource type'],
    ['name.getResourceKey()', 'it needs a resource'],
    ['now()', 'would change between two deliveries'],
    ['repeat(contact)', "use the select's own"],
    ["trace('x')", 'into a log'],
    ['resolve()', 'call other servers'],
    ['$total', 'not allowed'],
    ["Coding { code: 'x' }", 'not allowed'],
  ])('%j is refused: %s', (path, message) => {
    expect(problemsOf(path)).toContain(message);
  });

  it.each([
    'constructor',
    '`constructor`',
    '`constr\\u0075ctor`',
    '__proto__',
    'name.__proto__.constructor',
    'name.toString',
    'contained.constructor.name',
    'contained.toString',
    'contained.`__proto__`.id',
    'hasOwnProperty',
    'valueOf',
    "contained.constructor.constructor('return 1')",
    '%constructor',
    '%`__proto__`',
    "%'constructor'",
    'constructor()',
    'name.where(`__defineGetter__` = 1).family',
    'name.select(constructor).family',
  ])('%j cannot reach into JavaScript', (path) => {
    expect(problemsOf(path)).not.toBe('');
  });

  it.each([
    ['(?=a)', 'lookahead, lookbehind'],
    ['(a)\\1', 'references back'],
    ['\\p{L}', 'properties of characters'],
    ['[', 'it is no regular expression'],
    ['a**', 'it is no regular expression'],
  ])('with the regular expression %j is refused with the reason', (pattern, reason) => {
    expect(problemsOf(`id.matches('${pattern.replaceAll('\\', '\\\\')}')`)).toContain(
      `the regular expression is refused: ${reason}`,
    );
  });

  it('with a regular expression that is no literal is refused', () => {
    expect(problemsOf('id.matches(language)')).toContain('a string literal was expected');
    expect(problemsOf("id.replaceMatches('a' + 'b', '')")).toContain('a string literal was expected');
  });

  it.each(['^(a+)+$', '(a|b)', 'a*b*', 'a?b?', 'a{1,2}b+'])('with the regular expression %j is allowed', (pattern) => {
    expect(problemsOf(`id.matches('${pattern}')`)).toBe('');
  });

  it.each(['^[0-9]{3}-[0-9]{2}-[0-9]{4}$', '^\\\\d+$', 'abc', '^[A-Z].*', '\\\\.', '[^a-z]'])(
    'with the simple regular expression %j is allowed',
    (pattern) => {
      expect(problemsOf(`id.matches('${pattern}')`)).toBe('');
    },
  );

  it('may name elements of contained resources, whose type is known at run time only', () => {
    expect(problemsOf('contained.ofType(Organization).name')).toBe('');
    expect(problemsOf('contained.name.first()')).toBe('');
  });
});

describe('repeat', () => {
  const repeat = (...paths: string[]): object =>
    aView({ repeat: paths, column: [{ name: 'x', path: 'linkId' }] }, { resource: 'QuestionnaireResponse' });

  it('on $this is refused, as it would never end', () => {
    expect(validateView(repeat('$this'))[0]).toEqual({
      path: 'select[0].repeat[0]',
      message: '"$this" would be followed for ever',
    });
    expect(validateView(repeat('item', '( $this )'))).toHaveLength(1);
  });

  it('may name elements that only some of its levels have', () => {
    expect(validateView(repeat('item', 'answer.item'))).toEqual([]);
  });

  it('cannot name parts of JavaScript or unknown functions', () => {
    expect(validateView(repeat('constructor'))).toHaveLength(1);
    expect(validateView(repeat('foo()'))).toHaveLength(1);
  });
});

describe('unionAll', () => {
  const union = (first: object, second: object): object => aView({ unionAll: [{ column: [first] }, { column: [second] }] });

  it.each([
    ['other names', { name: 'a', path: 'id' }, { name: 'b', path: 'id' }],
    ['other types', { name: 'a', path: 'id' }, { name: 'a', path: 'birthDate' }],
    ['a collection in one branch', { name: 'a', path: 'id', collection: true }, { name: 'a', path: 'id' }],
  ])('with %s is refused', (_title, first, second) => {
    expect(validateView(union(first, second))).toHaveLength(1);
  });

  it('with types of one family is allowed', () => {
    expect(validateView(union({ name: 'a', path: 'id' }, { name: 'a', path: 'gender' }))).toEqual([]);
  });
});

describe('a constant', () => {
  it.each([
    [{ name: 'c', valueDate: '2020-13' }],
    [{ name: 'c', valueDate: "2020' or true" }],
    [{ name: 'c', valueDateTime: '2020-01-01T10:00' }],
    [{ name: 'c', valueInteger: 1.5 }],
    [{ name: 'c', valueInteger: '1' }],
    [{ name: 'c', valueBoolean: 'true' }],
    [{ name: 'c', valuePositiveInt: 0 }],
    [{ name: 'c', valueDecimal: '1' }],
    [{ name: 'c', valueQuantity: {} }],
    [{ name: 'c', valueString: 'a', valueCode: 'b' }],
    [{ name: '__proto__x', valueString: 'a' }],
    [{ name: 'rowIndex', valueString: 'a' }],
    [{ name: 'c-d', valueString: 'a' }],
    [null],
  ])('%j is refused', (constant) => {
    expect(validateView(aColumn('id', {}, { constant: [constant] }))).toHaveLength(1);
  });

  it('cannot be defined twice', () => {
    expect(
      validateView(
        aColumn(
          'id',
          {},
          {
            constant: [
              { name: 'c', valueString: 'a' },
              { name: 'c', valueString: 'a' },
            ],
          },
        ),
      ),
    ).toHaveLength(1);
  });
});

describe('column types', () => {
  const typeOf = (path: string, column: object = {}): string | undefined =>
    compileView(aColumn(path, column)).columns[0]?.fhirType;

  it.each([
    ['id', 'id'],
    ['getResourceKey()', 'id'],
    ['gender', 'code'],
    ['birthDate', 'date'],
    ['meta.lastUpdated', 'instant'],
    ['getAidboxTs()', 'instant'],
    ['active', 'boolean'],
    ['multipleBirth.ofType(integer)', 'integer'],
    ['name.given.count()', 'integer'],
    ["name.given.join(' ')", 'string'],
    ['name.exists()', 'boolean'],
    ['%rowIndex', 'integer'],
    ['contact.name.family', 'string'],
    ['deceased', 'string'],
    ["extension('u').value.ofType(decimal)", 'decimal'],
    ['link.other.getReferenceKey(Patient)', 'id'],
    ['1 / 3', 'decimal'],
    ['1 + 2', 'integer'],
    ["'a' & 'b'", 'string'],
    ['photo.data.first()', 'base64Binary'],
    ['iif(active, 1, 2)', 'integer'],
    ['birthDate.lowBoundary()', 'date'],
  ])('of %j is inferred from R4 as %s', (path, type) => {
    expect(typeOf(path)).toBe(type);
  });

  it('are those that the view declares, also as URLs', () => {
    expect(typeOf('id', { type: 'uri' })).toBe('uri');
    expect(typeOf('id', { type: 'http://hl7.org/fhirpath/System.String' })).toBe('string');
    expect(typeOf('id', { type: 'http://hl7.org/fhir/StructureDefinition/dateTime' })).toBe('dateTime');
  });
});
