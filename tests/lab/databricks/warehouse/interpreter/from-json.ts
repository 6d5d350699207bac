import type { Cell } from '../../registry/cells.ts';
import type { DataType } from '../../registry/data-type.ts';
import { parseDate, parseTimestamp } from '../sql/instants.ts';
import { SqlError } from '../sql/sql-error.ts';
import { parseJson, type JsonNode } from './json-tree.ts';
import { formatDouble, parseExact, rescale } from './numbers.ts';

const BITS = { byte: 8, short: 16, integer: 32, long: 64 } as const;

/** A value that does not fit the schema; FAILFAST makes an error of it, PERMISSIVE a NULL. */
class Misfit extends Error {
  readonly reason: 'WITHOUT_SUGGESTION' | 'CANNOT_PARSE_STRING_AS_DATATYPE';

  constructor(reason: Misfit['reason'] = 'WITHOUT_SUGGESTION') {
    super(reason);
    this.reason = reason;
  }
}

/**
 * `from_json` for a root that is an array, struct or map. The text is a JSON value of the root's kind; for an array of structs a single
 * object counts as an array of one.
 *
 * @throws SqlError MALFORMED_RECORD_IN_PARSING in mode FAILFAST
 */
export function fromJson(text: string | null, type: DataType, mode: 'FAILFAST' | 'PERMISSIVE'): Cell {
  if (text === null || text.trim() === '') return null;
  const node = parseJson(text);
  const isLenient = mode === 'PERMISSIVE';
  try {
    if (node === undefined) throw new Misfit();
    if (type.kind === 'array' && type.element.kind === 'struct' && node.kind === 'object') {
      return [readNode(node, type.element, isLenient)];
    }
    return readNode(node, type, false, isLenient);
  } catch (error) {
    if (!(error instanceof Misfit)) throw error;
    if (isLenient) return null;
    const advice = `Parse Mode: FAILFAST. To process malformed records as null result, try setting the option 'mode' as 'PERMISSIVE'.`;
    const text = `Malformed records are detected in record parsing.\n${advice} SQLSTATE: 22023`;
    throw new SqlError(`MALFORMED_RECORD_IN_PARSING.${error.reason}`, '22023', text);
  }
}

function readNode(node: JsonNode, type: DataType, isLenient: boolean, isLenientInside = isLenient): Cell {
  if (node.kind === 'null') return null;
  try {
    return readValue(node, type, isLenientInside);
  } catch (error) {
    if (!isLenient || !(error instanceof Misfit)) throw error;
    return null;
  }
}

function readValue(node: JsonNode, type: DataType, isLenient: boolean): Cell {
  switch (type.kind) {
    case 'string':
      return node.kind === 'text' ? node.value : printNode(node);
    case 'boolean':
      if (node.kind === 'true' || node.kind === 'false') return node.kind === 'true';
      break;
    case 'byte':
    case 'short':
    case 'integer':
    case 'long':
      if (node.kind === 'number' && /^-?\d+$/.test(node.text)) {
        const whole = BigInt(node.text);
        // The JSON reader of Spark takes a byte for signed or unsigned.
        if (type.kind === 'byte' && whole >= -128n && whole <= 255n) return Number(BigInt.asIntN(8, whole));
        if (BigInt.asIntN(BITS[type.kind], whole) === whole) return type.kind === 'long' ? whole : Number(whole);
      }
      break;
    case 'float':
    case 'double': {
      const value = readDouble(node);
      return type.kind === 'float' ? Math.fround(value) : value;
    }
    case 'decimal':
      return readDecimal(node, type);
    case 'date':
      if (node.kind === 'text') return parseDate(node.value) ?? fail();
      break;
    case 'timestamp':
      if (node.kind === 'text') return parseTimestamp(node.value, 'zoned') ?? fail();
      if (node.kind === 'number' && /^-?\d+$/.test(node.text)) return BigInt(node.text) * 1_000_000n;
      break;
    case 'timestamp_ntz':
      if (node.kind === 'text') return parseTimestamp(node.value, 'wall-clock') ?? fail();
      break;
    case 'binary':
      if (node.kind === 'text') return Uint8Array.from(Buffer.from(node.value, 'base64'));
      break;
    case 'array':
      if (node.kind === 'array') return node.items.map((item) => readNode(item, type.element, isLenient));
      break;
    case 'map':
      if (node.kind !== 'object') break;
      return node.members.map(([key, value]) => [key, readNode(value, type.value, isLenient)]);
    case 'struct': {
      if (node.kind !== 'object') break;
      // Names are compared with their case; of members with the same name the last one counts.
      const members = new Map(node.members);
      return Object.fromEntries(
        type.fields.map((field) => {
          const member = members.get(field.name);
          return [field.name, member === undefined ? null : readNode(member, field.type, isLenient)];
        }),
      );
    }
    case 'variant':
      break;
  }
  return fail();
}

/** Spark writes what is no text anew: numbers with a point or an exponent go through a double and lose their digits. */
function printNode(node: JsonNode): string {
  switch (node.kind) {
    case 'number':
      return /[.eE]/.test(node.text) ? formatDouble(Number(node.text), 'double') : node.text;
    case 'array':
      return `[${node.items.map(printNode).join(',')}]`;
    case 'object':
      return `{${node.members.map(([name, value]) => `${JSON.stringify(name)}:${printNode(value)}`).join(',')}}`;
    case 'text':
    case 'true':
    case 'false':
    case 'null':
      return node.text;
  }
}

function readDouble(node: JsonNode): number {
  if (node.kind === 'number') return Number(node.text);
  const special = node.kind === 'text' ? /^(?:NaN|([+-]?)(?:INF|Infinity))$/.exec(node.value) : null;
  if (special === null) throw new Misfit(node.kind === 'text' ? 'CANNOT_PARSE_STRING_AS_DATATYPE' : 'WITHOUT_SUGGESTION');
  return node.kind === 'text' && node.value === 'NaN' ? NaN : special[1] === '-' ? -Infinity : Infinity;
}

function readDecimal(node: JsonNode, { precision, scale }: DataType & { kind: 'decimal' }): bigint {
  const exact = node.kind === 'number' ? parseExact(node.text) : node.kind === 'text' ? parseExact(node.value) : undefined;
  const unscaled = exact === undefined ? fail() : rescale(exact, scale);
  return (unscaled < 0n ? -unscaled : unscaled) < 10n ** BigInt(precision) ? unscaled : fail();
}

function fail(): never {
  throw new Misfit();
}
