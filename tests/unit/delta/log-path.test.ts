import { describe, expect, it } from '@jest/globals';
import { commitPath, parseLogPath } from '../../../app/delta/log-path.ts';

describe('paths of the log', () => {
  it('names a commit by its version in 20 digits', () => {
    expect(commitPath(42)).toBe('_delta_log/00000000000000000042.json');
  });

  it.each([
    ['00000000000000000007.json', { kind: 'commit', version: 7 }],
    ['00000000000000000007.checkpoint.parquet', { kind: 'checkpoint', version: 7, format: 'parquet', group: 'single', parts: 1 }],
    [
      '00000000000000000007.checkpoint.0000000002.0000000003.parquet',
      { kind: 'checkpoint', version: 7, group: 'parts-3', parts: 3 },
    ],
    [
      '00000000000000000007.checkpoint.80a083e8-7026-4e79-81be-64bd76c43a11.json',
      { kind: 'checkpoint', version: 7, format: 'json', parts: 1 },
    ],
  ])('recognises %s', (name, expected) => {
    expect(parseLogPath(`_delta_log/${name}`)).toMatchObject(expected);
  });

  it.each([
    '_delta_log/00000000000000000007.crc',
    '_delta_log/00000000000000000001.00000000000000000007.compacted.json',
    '_delta_log/7.json',
    '_delta_log/00000000000000000007.json.tmp',
    '_delta_log/.00000000000000000007.json',
    '_delta_log/00000000000000000007.checkpoint.json',
    '_delta_log/00000000000000000007.checkpoint.0000000004.0000000003.parquet',
    '_delta_log/_last_checkpoint',
    '_delta_log/99999999999999999999.json',
    '_delta_log/_sidecars/00000000000000000007.json',
    'data/00000000000000000007.json',
  ])('leaves %s alone', (path) => {
    expect(parseLogPath(path)).toBeUndefined();
  });
});
