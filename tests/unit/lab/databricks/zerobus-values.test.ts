import { afterEach, describe, expect, it } from '@jest/globals';
import { DEFAULT_SWITCHES, type LabSwitches } from '../../../lab/databricks/options.ts';
import type { Cell } from '../../../lab/databricks/registry/cells.ts';
import { toField, type ColumnText } from '../../../lab/databricks/registry/table.ts';
import { BodyReader } from '../../../lab/databricks/zerobus/body-reader.ts';

/** Section 2.5: how values are encoded, and what is refused. */

let switches: Partial<LabSwitches> = {};
afterEach(() => {
  switches = {};
});

function read(columns: readonly ColumnText[], body: string): Record<string, Cell | undefined>[] {
  const reader = new BodyReader({ ...DEFAULT_SWITCHES, ...switches });
  return reader.read(Buffer.from(body), columns.map(toField), true).rows;
}

/** The cell of a column `v` of a type, from its JSON text. */
const readCell = (type: string, json: string): Cell | undefined => read([['v', type]], `[{"v":${json}}]`)[0]?.['v'];

it.each<[type: string, json: string, cell: Cell]>([
  ['STRING', '""', ''],
  ['STRING', '"Zo\\u00eb \\ud83d\\ude00\\n\\"\\\\/\\/"', 'Zoë \u{1F600}\n"\\//'],
  ['STRING', '"Zoë \u{1F600}"', 'Zoë \u{1F600}'],
  ['BOOLEAN', 'true', true],
  ['BOOLEAN', ' false ', false],
  ['TINYINT', '-128', -128],
  ['SMALLINT', '32767', 32767],
  ['INT', '-2147483648', -2147483648],
  ['INT', '-0', 0],
  ['BIGINT', '9007199254740993', 9007199254740993n],
  ['BIGINT', '-9223372036854775808', -9223372036854775808n],
  ['FLOAT', '0.1', Math.fround(0.1)],
  ['DOUBLE', '-1.5e-3', -0.0015],
  ['DOUBLE', '7', 7],
  ['DECIMAL(10,2)', '"12.50"', 1250n],
  ['DECIMAL(10,2)', '"-0.5"', -50n],
  ['DECIMAL(38,0)', '"99999999999999999999999999999999999999"', 10n ** 38n - 1n],
  ['DATE', '0', 0],
  ['DATE', '-719162', -719162],
  ['TIMESTAMP', '1727600000123456', 1727600000123456n],
  ['TIMESTAMP', '1727600000123', 1727600000123n], // the unit is not validated: milliseconds land in 1970
  ['TIMESTAMP_NTZ', '-1', -1n],
  ['BINARY', '"AP+A"', new Uint8Array([0, 255, 128])],
  ['BINARY', '"/w=="', new Uint8Array([255])],
  ['BINARY', '""', new Uint8Array()],
  ['ARRAY<STRING>', '["a", "" ]', ['a', '']],
  ['ARRAY<DECIMAL(3,1)>', '["1.5"]', [15n]],
  ['ARRAY<INT>', '[ ]', []],
  [
    'MAP<STRING,INT>',
    '{"a":1,"b":2}',
    [
      ['a', 1],
      ['b', 2],
    ],
  ],
  ['MAP<BIGINT,BOOLEAN>', '{"9007199254740993":true}', [[9007199254740993n, true]]],
  ['STRUCT<a: STRING, b: STRUCT<c: DATE>>', '{"b":{"c":1}}', { b: { c: 1 } }],
  ['VARIANT', '"{\\"a\\":[1]}"', '{"a":[1]}'],
])('2.5 %s takes %s', (type, json, cell) => {
  expect(readCell(type, json)).toEqual(cell);
});

it.each<[type: string, json: string, problem: string]>([
  ['DATE', '"2024-02-29"', 'invalid digit found in string at line 1 column 7'],
  ['TIMESTAMP', '"2024-02-29T10:00:00Z"', 'invalid digit found in string at line 1 column 7'],
  ['DATE', '1.5', 'floating point'],
  ['DATE', '"19000"', 'invalid digit found in string'],
  ['STRING', '1', 'expected a string'],
  ['STRING', '"\\ud800"', 'lone surrogate'],
  ['STRING', '"a\tb"', 'control character'],
  ['STRING', '"a', 'EOF while parsing a string'],
  ['STRING', '"\\x41"', 'invalid escape'],
  ['BOOLEAN', '"true"', 'expected a boolean'],
  ['BOOLEAN', '1', 'expected a boolean'],
  ['TINYINT', '128', 'out of range'],
  ['INT', '2147483648', 'out of range'],
  ['INT', '"1"', 'invalid digit found in string'],
  ['INT', '1.0', 'floating point'],
  ['INT', '1e3', 'floating point'],
  ['INT', '01', 'invalid number'],
  ['INT', '-', 'expected an integer'],
  ['INT', '+1', 'expected an integer'],
  ['BIGINT', '9223372036854775808', 'out of range'],
  ['BIGINT', '"1"', 'invalid digit found in string'],
  ['DOUBLE', '"NaN"', 'expected a number'],
  ['DOUBLE', 'NaN', 'expected a number'],
  ['DOUBLE', '1e400', 'out of range'],
  ['FLOAT', '1e39', 'out of range'],
  ['DOUBLE', '1.', 'invalid number'],
  ['DECIMAL(10,2)', '12.50', 'expected a string'],
  ['DECIMAL(10,2)', '"12.505"', 'more than 2 digits after the point'],
  ['DECIMAL(3,1)', '"100.0"', 'more than 3 digits'],
  ['DECIMAL(10,2)', '"1e2"', 'invalid decimal'],
  ['DECIMAL(10,2)', '"+1"', 'invalid decimal'],
  ['BINARY', '"AP-A"', 'invalid base64'],
  ['BINARY', '"/w"', 'invalid base64'],
  ['ARRAY<STRING>', '["a",null]', 'null in a sequence'],
  ['ARRAY<STRING>', '"a"', 'expected a sequence'],
  ['ARRAY<INT>', '[1,]', 'expected an integer'],
  ['MAP<STRING,INT>', '{"a":1,"a":2}', 'duplicate key'],
  ['MAP<INT,INT>', '{"x":1}', 'invalid map key'],
  ['STRUCT<a: STRING>', '{"b":"x"}', "unrecognized field name 'b'"],
  ['STRUCT<a: STRING NOT NULL>', '{}', "missing required field 'a'"],
  ['VARIANT', '{"a":1}', 'expected a string'],
  ['VARIANT', '"{"', 'variant is not JSON text'],
])('2.5 %s refuses %s: %s', (type, json, problem) => {
  expect(() => readCell(type, json)).toThrow(problem);
});

describe('records', () => {
  const columns: ColumnText[] = [
    ['id', 'STRING NOT NULL'],
    ['city', 'STRING'],
    ['count', 'INT'],
  ];

  it('nullable columns may be left out, in any order of fields', () => {
    expect(read(columns, ' [ {"count":1,"id":"a"} , {"id":"b"} ]\n')).toEqual([{ id: 'a', count: 1 }, { id: 'b' }]);
  });

  it.each([
    ['{"id":"a"}', 'expected a sequence at line 1 column 1'], // 2.2: an array also for one row
    ['[]', 'an array without a record'],
    ['[{"city":"x"}]', "missing required field 'id' at line 1 column 2"],
    ['[{"id":"a"},{}]', "missing required field 'id' at line 1 column 13"],
    ['[{"id":"a","ip":"x"}]', "unrecognized field name 'ip' at line 1 column 12"],
    ['[{"id":"a",\n"ü":1,"ip":"x"}]', "unrecognized field name 'ü' at line 2 column 1"],
    ['[{"id":"ü","ip":"x"}]', "unrecognized field name 'ip' at line 1 column 13"],
    ['[{"ID":"a"}]', "unrecognized field name 'ID'"],
    ['[{"id":"a","id":"b"}]', "duplicate field 'id'"],
    ['[{"id":"a","city":null}]', "null for the field 'city'"],
    ['[{"id":null}]', "null for the field 'id'"],
    ['[{"id":"a"} {"id":"b"}]', 'expected `,` or `]`'],
    ['[{"id":"a"},]', 'expected a record'],
    ['[{"id":"a",}]', 'expected a string'],
    ['[{"id":"a"}] x', 'trailing characters'],
    ['[{"id":"a"}', 'EOF'],
    ['', 'EOF'],
    ['[1]', 'expected a record'],
    ['[null]', 'expected a record'],
  ])('%s: %s', (body, problem) => {
    expect(() => read(columns, body)).toThrow(problem);
  });

  it('a body that is not UTF-8', () => {
    const reader = new BodyReader(DEFAULT_SWITCHES);
    const body = Buffer.from('[{"id":"\xff"}]', 'latin1');
    expect(() => reader.read(body, columns.map(toField), true)).toThrow('invalid unicode');
  });

  it('2.4 one record longer than allowed, counted in bytes', () => {
    switches = { maxRecordBytes: 20 };
    expect(read(columns, '[{"id":"123456789"}]')).toHaveLength(1);
    expect(() => read(columns, '[{"id":"12345678901234"}]')).toThrow('record longer than 20 bytes');
    expect(() => read(columns, '[{"id":"üüüüüüü"}]')).toThrow('record longer than 20 bytes');
  });

  it('nests at most 128 levels', () => {
    const depth = 200;
    const type = 'ARRAY<'.repeat(depth) + 'INT' + '>'.repeat(depth);
    expect(() => readCell(type, '['.repeat(depth) + '1' + ']'.repeat(depth))).toThrow('recursion limit');
  });
});

describe('what the page leaves open (10.6), the other way round', () => {
  it.each<[keyof LabSwitches, LabSwitches[keyof LabSwitches], string, string, Cell | undefined]>([
    ['explicitNull', 'accepted', 'STRING', 'null', undefined],
    ['quotedBigint', 'accepted', 'BIGINT', '"9007199254740993"', 9007199254740993n],
    ['quotedBigint', 'accepted', 'TIMESTAMP', '"-1"', -1n],
    ['decimalNumber', 'accepted', 'DECIMAL(20,2)', '123456789012345678.91', 12345678901234567891n],
    ['nanText', 'accepted', 'DOUBLE', '"NaN"', NaN],
    ['nanText', 'accepted', 'FLOAT', '"-Infinity"', -Infinity],
    ['decimalScale', 'rounded', 'DECIMAL(4,1)', '"-1.25"', -13n],
  ])('%s %s: %s takes %s', (name, value, type, json, cell) => {
    switches = { [name]: value };
    expect(readCell(type, json)).toEqual(cell);
  });

  it('explicit null is refused for a required column in any case', () => {
    switches = { explicitNull: 'accepted' };
    expect(() => readCell('STRING NOT NULL', 'null')).toThrow("null for the required field 'v'");
  });
});
