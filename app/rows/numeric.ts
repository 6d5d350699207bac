const NUMBER = /^(-?)(\d+)(?:\.(\d+))?(?:[eE]([+-]?\d{1,4}))?$/;
/** No decimal of FHIR or of a table comes near; longer ones would cost time and memory for nothing. */
const MAX_DIGITS = 400;

/** A decimal number as its digits and a power of ten: `value = sign × digits × 10^exponent`. */
interface Digits {
  readonly negative: boolean;
  readonly digits: string;
  readonly exponent: number;
}

function readDigits(text: string): Digits | undefined {
  const found = NUMBER.exec(text);
  if (found === null) return undefined;
  const [, sign, whole = '', fraction = '', exponent = '0'] = found;
  const digits = (whole + fraction).replace(/^0+(?=\d)/, '');
  return { negative: sign === '-', digits, exponent: Number(exponent) - fraction.length };
}

/**
 * The unscaled integer of a decimal number for DECIMAL(precision, scale): `1.5` at scale 2 is 150n.
 * Undefined when the text is no number, has digits (other than zeros) beyond the scale, or more than `precision` digits: nothing is rounded.
 */
export function parseUnscaled(text: string, precision: number, scale: number): bigint | undefined {
  const read = readDigits(text);
  if (read === undefined) return undefined;
  if (/^0+$/.test(read.digits)) return 0n;
  const shift = read.exponent + scale;
  if (Math.abs(shift) > MAX_DIGITS || read.digits.length > MAX_DIGITS) return undefined;
  const kept = shift >= 0 ? read.digits + '0'.repeat(shift) : read.digits.slice(0, shift);
  const dropped = shift >= 0 ? '' : read.digits.slice(shift);
  if (/[1-9]/.test(dropped)) return undefined;
  const unscaled = BigInt(kept);
  if (unscaled >= 10n ** BigInt(precision)) return undefined;
  return read.negative ? -unscaled : unscaled;
}

/** A whole number of at most `bits` bits (two's complement), or undefined. `5.0` and `5e2` are whole. */
export function parseWhole(text: string, bits: number): bigint | undefined {
  const value = parseUnscaled(text, 20, 0);
  const limit = 1n << BigInt(bits - 1);
  return value !== undefined && value >= -limit && value < limit ? value : undefined;
}

/** A finite number in double precision, or undefined; what is not a decimal number in JSON's spelling is refused. */
export function parseDouble(text: string): number | undefined {
  const value = NUMBER.test(text) ? Number(text) : Number.NaN;
  return Number.isFinite(value) ? value : undefined;
}

/** The digits of an unscaled integer at a scale: 150n at scale 2 is `1.50`. */
export function formatUnscaled(unscaled: bigint, scale: number): string {
  if (scale === 0) return String(unscaled);
  const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0');
  return `${unscaled < 0n ? '-' : ''}${digits.slice(0, -scale)}.${digits.slice(-scale)}`;
}
