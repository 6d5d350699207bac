import { describe, expect, it } from '@jest/globals';
import { parseColumnType } from '../../../../app/databricks/warehouse/column-types.ts';

describe('the type of a column in Databricks', () => {
  it.each([
    ['STRING', { kind: 'string' }],
    ['string', { kind: 'string' }],
    ['varchar(20)', { kind: 'string' }],
    ['string collate UTF8_LCASE', { kind: 'string' }],
    ['BOOLEAN', { kind: 'boolean' }],
    ['TINYINT', { kind: 'byte' }],
    ['BYTE', { kind: 'byte' }],
    ['SMALLINT', { kind: 'short' }],
    ['SHORT', { kind: 'short' }],
    ['INT', { kind: 'integer' }],
    ['INTEGER', { kind: 'integer' }],
    ['LONG', { kind: 'long' }],
    ['BIGINT', { kind: 'long' }],
    ['FLOAT', { kind: 'float' }],
    ['REAL', { kind: 'float' }],
    ['DOUBLE', { kind: 'double' }],
    ['DATE', { kind: 'date' }],
    ['TIMESTAMP', { kind: 'timestamp' }],
    ['TIMESTAMP_LTZ', { kind: 'timestamp' }],
    ['timestamp_ntz', { kind: 'timestamp_ntz' }],
    ['BINARY', { kind: 'binary' }],
    ['decimal(38)', { kind: 'decimal', precision: 38, scale: 0 }],
    ['DECIMAL(10,2)', { kind: 'decimal', precision: 10, scale: 2 }],
    [' dec ( 38 , 38 ) ', { kind: 'decimal', precision: 38, scale: 38 }],
    ['ARRAY<STRING>', { kind: 'array', element: { kind: 'string' }, containsNull: true }],
    ['array< decimal(4, 1) >', { kind: 'array', element: { kind: 'decimal', precision: 4, scale: 1 }, containsNull: true }],
  ])('%j is %j', (text, type) => expect(parseColumnType(text)).toEqual(type));

  it.each([
    ...[
      'MAP<STRING,INT>',
      'STRUCT<a: INT>',
      'VARIANT',
      'INTERVAL DAY TO SECOND',
      'VOID',
      'CHAR(3)',
      'GEOGRAPHY(4326)',
      'constructor',
    ],
    ...[
      'ARRAY<ARRAY<STRING>>',
      'ARRAY<STRUCT<a: INT>>',
      'ARRAY',
      'ARRAY<>',
      'DECIMAL',
      'ARRAY<DECIMAL>',
      'DECIMAL(39,0)',
      'DECIMAL(2,3)',
      'DECIMAL(0,0)',
      '',
    ],
  ])('%j is none that rows can be written to', (text) => expect(parseColumnType(text)).toBeUndefined());
});
