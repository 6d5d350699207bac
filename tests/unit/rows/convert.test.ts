import { describe, expect, it } from '@jest/globals';
import { findTypeConflict, makeConverter } from '../../../app/rows/convert.ts';
import type { PrimitiveType, TableColumn, TableType, TableValue } from '../../../app/rows/table-type.ts';
import type { FlatValue } from '../../../app/view/compiled-view.ts';
import { errorOf } from '../../helpers/views.ts';

const column = (type: TableType, nullable = true): TableColumn => ({ name: 'c', type, nullable });
const decimal = (precision: number, scale: number): PrimitiveType => ({ kind: 'decimal', precision, scale });
const plain = (kind: Exclude<PrimitiveType['kind'], 'decimal'>): PrimitiveType => ({ kind });

function convert(fhirType: string, type: TableType, value: FlatValue): TableValue {
  return makeConverter(fhirType, type.kind === 'array', column(type))(value);
}

describe('a value', () => {
  const cases: [string, PrimitiveType, FlatValue, TableValue][] = [
    ['string', plain('string'), 'Ünï\u0000😀', 'Ünï\u0000😀'],
    ['integer', plain('string'), 5, '5'],
    ['decimal', plain('string'), '1.50', '1.50'],
    ['boolean', plain('string'), false, 'false'],
    ['dateTime', plain('string'), '2020-06', '2020-06'],
    ['boolean', plain('boolean'), true, true],
    ['string', plain('boolean'), 'false', false],
    ['integer', plain('byte'), -128, -128],
    ['integer', plain('short'), 32_767, 32_767],
    ['integer', plain('integer'), 2_147_483_647, 2_147_483_647],
    ['positiveInt', plain('integer'), 1, 1],
    ['string', plain('integer'), '-12', -12],
    ['decimal', plain('integer'), '5.0', 5],
    ['integer', plain('long'), 9_007_199_254_740_991, 9_007_199_254_740_991n],
    ['integer64', plain('long'), '-9223372036854775808', -(2n ** 63n)],
    ['decimal', plain('double'), 0.1, 0.1],
    ['decimal', plain('double'), '1.0', 1],
    ['integer', plain('double'), 3, 3],
    ['decimal', plain('float'), 0.5, 0.5],
    ['decimal', decimal(10, 2), 1.5, 150n],
    ['decimal', decimal(10, 2), -1.5, -150n],
    ['decimal', decimal(10, 2), '1.500', 150n],
    ['decimal', decimal(10, 2), 0, 0n],
    ['decimal', decimal(10, 2), '0.000', 0n],
    ['decimal', decimal(38, 18), '12345678901234567890.123456789012345678', 12345678901234567890123456789012345678n],
    ['decimal', decimal(10, 7), 1e-7, 1n],
    ['decimal', decimal(38, 0), 1e21, 10n ** 21n],
    ['decimal', decimal(5, 2), '1.5e2', 15_000n],
    ['integer', decimal(5, 2), 7, 700n],
    ['date', plain('date'), '2020-06', 18_414],
    ['dateTime', plain('date'), '2020-06-01T10:00:00Z', 18_414],
    ['string', plain('date'), '1969-12-31', -1],
    ['instant', plain('timestamp'), '1970-01-01T00:00:01Z', 1_000_000n],
    ['date', plain('timestamp_ntz'), '1970-01-02', 86_400_000_000n],
    ['base64Binary', plain('binary'), 'aGVs\nbG8=', new Uint8Array([104, 101, 108, 108, 111])],
    ['base64Binary', plain('binary'), '', new Uint8Array(0)],
  ];

  it.each(cases)('of type %s goes into %j: %j', (fhirType, type, value, expected) => {
    expect(convert(fhirType, type, value)).toEqual(expected);
  });

  const bad: [string, PrimitiveType, FlatValue][] = [
    ['string', plain('string'), '\ud800x'],
    ['string', plain('boolean'), 'yes'],
    ['integer', plain('byte'), 128],
    ['integer', plain('short'), -32_769],
    ['integer', plain('integer'), 2_147_483_648],
    ['decimal', plain('integer'), 1.5],
    ['string', plain('integer'), '0x10'],
    ['string', plain('integer'), ''],
    ['string', plain('integer'), ' 1'],
    ['integer', plain('long'), 9_007_199_254_740_992],
    ['integer64', plain('long'), '9223372036854775808'],
    ['decimal', plain('double'), '1e400'],
    ['string', plain('double'), 'NaN'],
    ['string', plain('double'), 'Infinity'],
    ['decimal', plain('float'), 1e39],
    ['decimal', decimal(10, 2), 1.005],
    ['decimal', decimal(4, 2), 100],
    ['decimal', decimal(38, 0), '1e9999'],
    ['decimal', decimal(38, 0), '9'.repeat(1_000_000)],
    ['decimal', decimal(38, 0), '1e-9999'],
    ['decimal', decimal(38, 0), '1e99999999999'],
    ['date', plain('date'), '2021-02-29'],
    ['integer', plain('double'), true],
    ['string', plain('date'), 18_262],
    ['instant', plain('timestamp'), '2020-01-01T24:00:00Z'],
    ['base64Binary', plain('binary'), 'aGVsbG8'],
    ['base64Binary', plain('binary'), 'aGVsbG9='],
    ['base64Binary', plain('binary'), 'a-_b'],
    ['base64Binary', plain('binary'), '===='],
    ['string', plain('string'), ['a']],
  ];

  it.each(bad)('of type %s that does not fit %j is refused: %j', (fhirType, type, value) => {
    expect(errorOf(() => convert(fhirType, type, value)).code).toBe('VALUE_NOT_CONVERTIBLE');
  });

  it('that is refused is not in the message, which names column and types', () => {
    const { message } = errorOf(() => convert('date', plain('date'), 'CANARY-1970'));
    expect(message).toBe('column "c": a value of FHIR type date does not fit DATE');
  });
});

describe('null', () => {
  it('goes into a nullable column and is refused by a NOT NULL one', () => {
    expect(convert('date', plain('date'), null)).toBeNull();
    expect(errorOf(() => makeConverter('date', false, column(plain('date'), false))(null)).code).toBe('VALUE_NOT_CONVERTIBLE');
  });
});

describe('a collection', () => {
  const dates = (containsNull: boolean): TableType => ({ kind: 'array', element: plain('date'), containsNull });

  it('goes item by item into an ARRAY', () => {
    expect(convert('date', dates(true), ['1970-01-02', null, '1970'])).toEqual([1, null, 0]);
    expect(convert('date', dates(false), [])).toEqual([]);
    expect(convert('date', dates(true), null)).toBeNull();
  });

  it('is refused when an item does not fit, is null in a NOT NULL array, or the value is no list', () => {
    for (const value of [['1970-01-02', 'x'], [null], '1970-01-02']) {
      expect(errorOf(() => convert('date', dates(false), value)).code).toBe('VALUE_NOT_CONVERTIBLE');
    }
  });
});

describe('types that can never fit', () => {
  it.each([
    ['boolean', false, plain('date')],
    ['date', false, plain('boolean')],
    ['integer', false, plain('timestamp')],
    ['dateTime', false, plain('integer')],
    ['time', false, plain('timestamp')],
    ['base64Binary', false, plain('integer')],
    ['string', false, plain('binary')],
    ['string', true, plain('string')],
    ['string', false, { kind: 'array', element: plain('string'), containsNull: true } as const],
  ])('%s (collection: %s) into %j', (fhirType, collection, type) => {
    expect(findTypeConflict(fhirType, collection, column(type))).toContain(`the view yields ${fhirType}`);
    expect(errorOf(() => makeConverter(fhirType, collection, column(type))).code).toBe('TABLE_COLUMNS_UNFIT');
  });
});
