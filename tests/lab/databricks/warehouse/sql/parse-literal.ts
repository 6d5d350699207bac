import type { Cell } from '../../registry/cells.ts';
import { parseDate, parseTimestamp } from './instants.ts';
import { SqlError } from './sql-error.ts';
import type { SqlType } from './sql-type.ts';
import type { Token } from './tokens.ts';

export interface Literal {
  readonly type: SqlType;
  readonly value: Cell;
}

const WHOLE = { Y: ['byte', 8], S: ['short', 16], L: ['long', 64] } as const;

/** A number as Spark types it: INT or, when too large, BIGINT or DECIMAL; with a point DECIMAL; with an exponent DOUBLE; or by its suffix. */
export function readNumber(token: Token, sign: '' | '-' = ''): Literal {
  const [, text = '', suffix = ''] = /^(.*?)(BD|[LSYFD])?$/.exec(token.value) ?? [];
  const digits = sign + text;
  if (suffix === 'D' || suffix === 'F') return { type: { kind: suffix === 'D' ? 'double' : 'float' }, value: Number(digits) };
  if (suffix === 'BD') return readDecimal(digits);
  if (suffix !== '') {
    const [kind, bits] = WHOLE[suffix as keyof typeof WHOLE];
    const whole = BigInt(digits);
    if (BigInt.asIntN(bits, whole) !== whole) {
      throw new SqlError(
        'INVALID_NUMERIC_LITERAL_RANGE',
        '22003',
        `Numeric literal ${digits} is outside the valid range. SQLSTATE: 22003`,
      );
    }
    return { type: { kind }, value: kind === 'long' ? whole : Number(whole) };
  }
  if (digits.includes('E')) return { type: { kind: 'double' }, value: Number(digits) };
  if (digits.includes('.')) return readDecimal(digits);
  const whole = BigInt(digits);
  if (BigInt.asIntN(32, whole) === whole) return { type: { kind: 'integer' }, value: Number(whole) };
  return BigInt.asIntN(64, whole) === whole ? { type: { kind: 'long' }, value: whole } : readDecimal(digits);
}

function readDecimal(digits: string): Literal {
  const [whole = '', fraction = ''] = digits.split('.');
  const unscaled = BigInt(whole + fraction);
  const scale = fraction.length;
  const precision = Math.max(unscaled.toString().replace('-', '').length, scale, 1);
  if (precision > 38) {
    throw new SqlError(
      'DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION',
      '22003',
      `Decimal precision ${precision} exceeds max precision 38.`,
    );
  }
  return { type: { kind: 'decimal', precision, scale }, value: unscaled };
}

/** `DATE '…'`, `TIMESTAMP '…'`, `TIMESTAMP_NTZ '…'`, `X '…'`; undefined for other words. @throws SqlError INVALID_TYPED_LITERAL */
export function readTypedLiteral(word: string, text: string): Literal | undefined {
  const literal = readTyped(word, text);
  if (literal === undefined) return undefined;
  if (literal.value !== undefined) return { type: literal.type, value: literal.value };
  throw new SqlError(
    'INVALID_TYPED_LITERAL',
    '42604',
    `The value of the typed literal "${word}" is invalid: '${text}'. SQLSTATE: 42604`,
  );
}

function readTyped(word: string, text: string): { type: SqlType; value: Cell | undefined } | undefined {
  switch (word) {
    case 'DATE':
      return { type: { kind: 'date' }, value: parseDate(text) };
    case 'TIMESTAMP':
    case 'TIMESTAMP_LTZ':
      return { type: { kind: 'timestamp' }, value: parseTimestamp(text, 'zoned') };
    case 'TIMESTAMP_NTZ':
      return { type: { kind: 'timestamp_ntz' }, value: parseTimestamp(text, 'wall-clock') };
    case 'X':
      return {
        type: { kind: 'binary' },
        value: /^(?:[0-9a-fA-F]{2})*$/.test(text) ? Uint8Array.from(Buffer.from(text, 'hex')) : undefined,
      };
    default:
      return undefined;
  }
}
