import { describe, expect, it } from '@jest/globals';
import { quoteName, quoteNames, quoteText } from '../../../app/rows/sql-quoting.ts';

describe('quoting for SQL', () => {
  it.each([
    ["it's", "'it\\'s'"],
    ['a\\', "'a\\\\'"],
    ["\\' OR 1=1 --", "'\\\\\\' OR 1=1 --'"],
    ['"`\n\0ü😀', "'\"`\n\0ü😀'"],
    ['${env:HOME} $5', "'\\u0024{env:HOME} $5'"],
  ])('%j is the literal %j', (text, literal) => expect(quoteText(text)).toBe(literal));

  it('doubles backticks in names', () => {
    expect(quoteName('a`b')).toBe('`a``b`');
    expect(quoteNames(['main', 'a.b'])).toBe('`main`.`a.b`');
  });
});
