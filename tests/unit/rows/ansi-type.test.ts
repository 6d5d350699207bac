import { describe, expect, it } from '@jest/globals';
import { parseAnsiType } from '../../../app/rows/ansi-type.ts';
import { findWarnings, makeRowEncoder } from '../../../app/rows/row-encoder.ts';
import { describeColumns, describeType, tableColumnsForView } from '../../../app/rows/table-schema.ts';
import { compileView } from '../../../app/view/compile-view.ts';
import { parseExactly } from '../../../app/view/exact-json.ts';
import type { Resource } from '../../../app/view/compiled-view.ts';

const tagged = (value: string, path = 'value.ofType(Quantity).value') => ({
  resourceType: 'ViewDefinition',
  name: 'v',
  status: 'active',
  resource: 'Observation',
  select: [
    {
      column: [
        { name: 'id', path: 'id' },
        { name: 'ts', path: 'meta.lastUpdated' },
        {
          name: 'value',
          path,
          tag: [
            { name: 'other', value: 'x' },
            { name: 'ansi/type', value },
          ],
        },
      ],
    },
  ],
});

describe('the tag ansi/type', () => {
  it.each([
    ['DECIMAL(18,2)', 'DECIMAL(18,2)'],
    ['numeric ( 38 , 10 )', 'DECIMAL(38,10)'],
    ['DECIMAL', 'DECIMAL(10,0)'],
    ['CHARACTER VARYING(64)', 'STRING'],
    ['character  varying', 'STRING'],
    ['DOUBLE PRECISION', 'DOUBLE'],
    ['TIMESTAMP WITH TIME ZONE', 'TIMESTAMP'],
    ['TIMESTAMP(6) WITH TIME ZONE', 'TIMESTAMP'],
    ['BIGINT', 'BIGINT'],
    ['BINARY VARYING(16)', 'BINARY'],
  ])('%s asks for %s', (text, type) => expect(describeType(parseAnsiType(text)!)).toBe(type));

  it.each(['', 'DECIMAL(39,2)', 'DECIMAL(2,3)', 'DECIMAL(0)', 'JSON', 'toString', 'VARCHAR(1,2)', 'INT; DROP TABLE t', 'DATE('])(
    '%j asks for nothing',
    (text) => expect(parseAnsiType(text)).toBeUndefined(),
  );

  it('decides the type of a table that is made for the view, and keeps every digit in it', () => {
    const view = compileView(tagged('DECIMAL(30,20)'));
    const columns = tableColumnsForView(view);
    expect(describeColumns(columns)).toBe('id STRING, ts TIMESTAMP, value DECIMAL(30,20), is_deleted INT');
    const encoder = makeRowEncoder(view, columns);
    expect(encoder.needsExactDecimals).toBe(true);
    const text = '{"resourceType":"Observation","id":"o","valueQuantity":{"value":1.10000000000000000001}}';
    const context = { eventKey: 'k', versionId: '1', action: 'create', receivedAtMs: 0, correlationId: undefined } as const;
    const [row] = encoder.encode(view.evaluate(parseExactly(text) as Resource), context);
    expect(row).toContain(110000000000000000001n);
  });

  it('has no effect when it names no type, which is a warning', () => {
    const view = compileView(tagged('MONEY'));
    const columns = tableColumnsForView(view);
    expect(describeColumns(columns)).toContain('value DOUBLE');
    expect(findWarnings(view, columns)).toEqual([expect.stringContaining('column "value"')]);
  });
});
