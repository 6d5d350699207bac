/** A finite number as Java writes it: `1.0`, `1.0E7`, `1.0E-4`. */
export function formatDouble(value: number, kind: 'float' | 'double'): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? 'Infinity' : '-Infinity';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [mantissa = '', exponent = '0'] = shortest(value, kind).toExponential().split('e');
  const size = Number(exponent);
  if (size >= -3 && size < 7) {
    const plain = toPlain(mantissa, size);
    return plain.includes('.') ? plain : `${plain}.0`;
  }
  return `${mantissa.includes('.') ? mantissa : `${mantissa}.0`}E${size}`;
}

/** The shortest decimal that reads back as the same number. JavaScript finds it for doubles only. */
function shortest(value: number, kind: 'float' | 'double'): number {
  if (kind === 'double') return value;
  for (let digits = 1; digits <= 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return candidate;
  }
  return value;
}

function toPlain(mantissa: string, exponent: number): string {
  const sign = mantissa.startsWith('-') ? '-' : '';
  const digits = mantissa.replace('-', '').replace('.', '');
  if (exponent < 0) return `${sign}0.${'0'.repeat(-exponent - 1)}${digits}`;
  const padded = digits.padEnd(exponent + 1, '0');
  const fraction = padded.slice(exponent + 1);
  return sign + padded.slice(0, exponent + 1) + (fraction === '' ? '' : `.${fraction}`);
}

/** An exact decimal number: `unscaled` × 10^-`scale`. */
export interface Exact {
  readonly unscaled: bigint;
  readonly scale: number;
}

/** Undefined for a text that is no decimal number. */
export function parseExact(text: string): Exact | undefined {
  const match = /^\s*([+-]?)(\d+\.?\d*|\.\d+)(?:[eE]([+-]?\d{1,5}))?\s*$/.exec(text);
  if (match === null) return undefined;
  const [, sign, digits = '', exponent = '0'] = match;
  const [whole = '', fraction = ''] = digits.split('.');
  const unscaled = BigInt(whole + fraction) * (sign === '-' ? -1n : 1n);
  const scale = fraction.length - Number(exponent);
  return scale >= 0 ? { unscaled, scale } : { unscaled: unscaled * 10n ** BigInt(-scale), scale: 0 };
}

/** The digits at another scale, halves rounded away from zero. */
export function rescale({ unscaled, scale }: Exact, to: number): bigint {
  if (to >= scale) return unscaled * 10n ** BigInt(to - scale);
  const divisor = 10n ** BigInt(scale - to);
  const size = unscaled < 0n ? -unscaled : unscaled;
  const rounded = (size + divisor / 2n) / divisor;
  return unscaled < 0n ? -rounded : rounded;
}

/** The whole part, towards zero. */
export function truncate({ unscaled, scale }: Exact): bigint {
  return unscaled / 10n ** BigInt(scale);
}

export function formatExact({ unscaled, scale }: Exact): string {
  if (scale === 0) return unscaled.toString();
  const digits = (unscaled < 0n ? -unscaled : unscaled).toString().padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
