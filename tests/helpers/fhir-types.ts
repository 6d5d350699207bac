import { tableColumnsForView } from '../../app/rows/table-schema.ts';
import type { TableColumn } from '../../app/rows/table-type.ts';
import { compileView } from '../../app/view/compile-view.ts';
import type { DeltaRow } from './services/delta-reader.ts';

/** Column, FHIR type, value as JSON text, and how readers see it in the table that is made for the view. */
const VALUES: readonly (readonly [string, string, string, DeltaRow[string]])[] = [
  ['c_boolean', 'boolean', 'true', true],
  ['c_integer', 'integer', '-2147483648', -2147483648],
  ['c_positive', 'positiveInt', '2147483647', 2147483647],
  ['c_unsigned', 'unsignedInt', '0', 0],
  ['c_decimal', 'decimal', '1.50', 1.5],
  ['c_string', 'string', '"Zürich 😀\\n"', 'Zürich 😀\n'],
  ['c_code', 'code', '"final"', 'final'],
  ['c_id', 'id', '"a-1"', 'a-1'],
  ['c_uri', 'uri', '"urn:x"', 'urn:x'],
  ['c_url', 'url', '"http://x"', 'http://x'],
  ['c_canonical', 'canonical', '"http://x|1"', 'http://x|1'],
  ['c_oid', 'oid', '"urn:oid:1.2"', 'urn:oid:1.2'],
  ['c_uuid', 'uuid', '"urn:uuid:a"', 'urn:uuid:a'],
  ['c_markdown', 'markdown', '"*x*"', '*x*'],
  ['c_time', 'time', '"10:15:00"', '10:15:00'],
  ['c_base64', 'base64Binary', '"AP8="', 'AP8='],
  ['c_date', 'date', '"1899-12-31"', '1899-12-31'],
  ['c_year', 'date', '"2020"', '2020-01-01'],
  ['c_month', 'date', '"2020-06"', '2020-06-01'],
  ['c_instant', 'instant', '"2024-05-06T07:08:09.123456+02:00"', '2024-05-06T05:08:09.123456Z'],
  ['c_no_zone', 'dateTime', '"2024-05-06T07:08:09"', '2024-05-06T07:08:09.000000Z'],
  ['c_partial', 'dateTime', '"2020-06"', '2020-06-01T00:00:00.000000Z'],
  ['c_leap', 'dateTime', '"2016-12-31T23:59:60Z"', '2017-01-01T00:00:00.000000Z'],
  ['c_1582', 'dateTime', '"1582-10-10T00:00:00Z"', '1582-10-10T00:00:00.000000Z'],
  ['c_100', 'dateTime', '"0100-03-01T00:00:00Z"', '0100-03-01T00:00:00.000000Z'],
  ['c_1500', 'date', '"1500-02-28"', '1500-02-28'],
];
/** Where the table, not the view, decides: digits that a DOUBLE has not. */
const WIDE: readonly (readonly [string, string, string, TableColumn['type'], DeltaRow[string]])[] = [
  ['w_text', 'decimal', '1.50', { kind: 'string' }, '1.50'],
  [
    'w_decimal',
    'decimal',
    '12345678901234567890.123456',
    { kind: 'decimal', precision: 38, scale: 6 },
    '12345678901234567890.123456',
  ],
  ['w_long', 'string', '"9223372036854775807"', { kind: 'long' }, '9223372036854775807'],
  ['w_date', 'dateTime', '"2020-01-01T23:30:00-10:00"', { kind: 'date' }, '2020-01-01'],
];

const url = (name: string): string => `http://example.org/${name}`;
const all = [
  ...VALUES.map(([name, type, json]) => [name, type, json] as const),
  ...WIDE.map(([name, type, json]) => [name, type, json] as const),
];
/** A patient with one value of every FHIR type, as JSON text. */
export const TYPES_PATIENT = `{"resourceType":"Patient","id":"p1","_birthDate":{"extension":[{"url":"${url('time')}","valueDateTime":"1970-03-30T05:35:00Z"}]},
  "contained":[{"resourceType":"Organization","id":"o1","name":"inner"}],"deceasedBoolean":true,"name":[{"given":["A",null,"B"]}],
  "extension":[${all.map(([name, type, json]) => `{"url":"${url(name)}","value${type.charAt(0).toUpperCase()}${type.slice(1)}":${json}}`).join(',')}]}`;
/** One column for each of its values. */
export const TYPES_VIEW = compileView({
  resourceType: 'ViewDefinition',
  name: 'types',
  resource: 'Patient',
  select: [
    {
      column: [
        { name: 'id', path: 'getResourceKey()' },
        ...all.map(([name, type]) => ({ name, path: `extension('${url(name)}').value.ofType(${type})`, type })),
        { name: 'birth_date', path: 'birthDate', type: 'date' },
        { name: 'birth_time', path: `birthDate.extension('${url('time')}').value.ofType(dateTime)`, type: 'dateTime' },
        { name: 'deceased', path: 'deceased.ofType(boolean)', type: 'boolean' },
        { name: 'deceased_at', path: 'deceased.ofType(dateTime)', type: 'dateTime' },
        { name: 'inner', path: 'contained.ofType(Organization).name.first()', type: 'string' },
        { name: 'given', path: 'name.given', type: 'string', collection: true },
      ],
    },
  ],
});
/** Its row, as readers of the table see it. */
export const TYPES_ROW: DeltaRow = {
  id: 'p1',
  ...Object.fromEntries(VALUES.map(([name, , , value]) => [name, value])),
  ...Object.fromEntries(WIDE.map(([name, , , , value]) => [name, value])),
  ...{
    birth_date: null,
    birth_time: '1970-03-30T05:35:00.000000Z',
    deceased: true,
    deceased_at: null,
    inner: 'inner',
    given: ['A', 'B'],
    is_deleted: 0,
  },
};

/** The columns of a table that is made for the view, but for those where the table decides. */
export const TYPES_COLUMNS: readonly TableColumn[] = tableColumnsForView(TYPES_VIEW).map((column) => ({
  ...column,
  type: WIDE.find(([name]) => name === column.name)?.[3] ?? column.type,
}));
