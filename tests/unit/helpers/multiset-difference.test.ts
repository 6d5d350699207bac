import { describe, expect, it } from '@jest/globals';
import { findDifference, NO_DIFFERENCE } from '../../helpers/multiset-difference.ts';

describe('findDifference', () => {
  it('finds none whatever the order of rows and columns, and takes null for absent', () => {
    expect(findDifference([{ a: 1, b: null }, { a: 2 }], [{ a: 2 }, { a: 1 }])).toEqual(NO_DIFFERENCE);
  });

  it('counts a doubled row as surplus and a lost one as missing', () => {
    expect(findDifference([{ a: 1 }, { a: 1 }], [{ a: 1 }])).toEqual({ missing: 0, surplus: 1, examples: ['surplus {"a":1}'] });
    expect(findDifference([{ a: 1 }], [{ a: 1 }, { a: 1 }])).toEqual({ missing: 1, surplus: 0, examples: ['missing {"a":1}'] });
  });

  it('tells a changed value', () => {
    expect(findDifference([{ a: '1' }], [{ a: 1 }])).toEqual({
      missing: 1,
      surplus: 1,
      examples: ['missing {"a":1}', 'surplus {"a":"1"}'],
    });
  });
});
