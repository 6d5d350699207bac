import type { LabSwitches } from '../options.ts';
import type { Cell } from '../registry/cells.ts';
import type { DataType } from '../registry/data-type.ts';
import type { JsonReader } from './json-reader.ts';
import { makeRecordReader } from './record-reader.ts';

/** Reads one value at the place where the JSON reader is. @throws DecodeError for what section 2.5 does not allow */
export type ValueReader = (json: JsonReader) => Cell;

const [OPEN_LIST, CLOSE_LIST, COMMA, OPEN_MAP, CLOSE_MAP, COLON] = [0x5b, 0x5d, 0x2c, 0x7b, 0x7d, 0x3a];
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const DECIMAL = /^(-?)([0-9]+)(?:\.([0-9]+))?$/;
const SPECIAL: Readonly<Record<string, number>> = { NaN: NaN, Infinity: Infinity, '-Infinity': -Infinity };

/** The table of section 2.5. */
export function makeValueReader(type: DataType, switches: LabSwitches): ValueReader {
  switch (type.kind) {
    case 'string':
      return (json) => json.readString();
    case 'boolean':
      return readBoolean;
    case 'byte':
      return makeIntegerReader(8);
    case 'short':
      return makeIntegerReader(16);
    case 'integer':
    case 'date': // days since 1970-01-01
      return makeIntegerReader(32);
    case 'long':
    case 'timestamp': // microseconds since 1970-01-01; the unit cannot be seen
    case 'timestamp_ntz':
      return makeLongReader(switches.quotedBigint === 'accepted');
    case 'float':
      return makeFloatReader(Math.fround, switches.nanText === 'accepted');
    case 'double':
      return makeFloatReader((value) => value, switches.nanText === 'accepted');
    case 'decimal':
      return makeDecimalReader(type.precision, type.scale, switches);
    case 'binary':
      return readBinary;
    case 'variant':
      return readVariant;
    case 'array':
      return makeListReader(makeValueReader(type.element, switches));
    case 'map':
      return makeMapReader(makeKeyReader(type.key), makeValueReader(type.value, switches));
    case 'struct': {
      const read = makeRecordReader(type.fields, switches);
      return (json) => read(json, {});
    }
  }
}

function readBoolean(json: JsonReader): boolean {
  if (json.takeWord('true')) return true;
  if (json.takeWord('false')) return false;
  throw json.fail('invalid type, expected a boolean');
}

function makeIntegerReader(bits: number): ValueReader {
  const limit = 2 ** (bits - 1);
  return (json) => {
    const { at } = json;
    const text = json.readIntegerText();
    const value = Number(text);
    if (value < -limit || value >= limit) throw json.fail('number out of range', at);
    return value === 0 ? 0 : value; // -0
  };
}

function makeLongReader(takesQuoted: boolean): ValueReader {
  return (json) => {
    const { at } = json;
    let text: string;
    if (takesQuoted && json.isString()) {
      text = json.readString();
      if (!/^-?[0-9]+$/.test(text)) throw json.fail('invalid digit found in string', at);
    } else {
      text = json.readIntegerText();
    }
    const value = BigInt(text);
    if (text.length > 18 && BigInt.asIntN(64, value) !== value) throw json.fail('number out of range', at);
    return value;
  };
}

function makeFloatReader(round: (value: number) => number, takesSpecial: boolean): ValueReader {
  return (json) => {
    const { at } = json;
    if (takesSpecial && json.isString()) {
      const value = SPECIAL[json.readString()];
      if (value === undefined) throw json.fail('invalid type: string, expected a number', at);
      return value;
    }
    const value = round(Number(json.readNumberText()));
    if (!Number.isFinite(value)) throw json.fail('number out of range', at);
    return value;
  };
}

function makeDecimalReader(precision: number, scale: number, switches: LabSwitches): ValueReader {
  const limit = 10n ** BigInt(precision);
  const rounds = switches.decimalScale === 'rounded';
  return (json) => {
    const { at } = json;
    const text = json.isString() || switches.decimalNumber === 'refused' ? json.readString() : json.readNumberText();
    const match = DECIMAL.exec(text);
    if (match === null) throw json.fail('invalid decimal', at);
    const [, sign, whole = '', fraction = ''] = match;
    if (fraction.length > scale && !rounds) throw json.fail(`decimal with more than ${scale} digits after the point`, at);
    let value = BigInt(whole + fraction.slice(0, scale).padEnd(scale, '0'));
    if ((fraction[scale] ?? '0') >= '5') value += 1n;
    if (value >= limit) throw json.fail(`decimal with more than ${precision} digits`, at);
    return sign === '-' ? -value : value;
  };
}

function readBinary(json: JsonReader): Uint8Array {
  const { at } = json;
  const text = json.readString();
  if (!BASE64.test(text)) throw json.fail('invalid base64', at);
  return new Uint8Array(Buffer.from(text, 'base64'));
}

function readVariant(json: JsonReader): string {
  const { at } = json;
  const text = json.readString();
  try {
    JSON.parse(text);
  } catch {
    throw json.fail('variant is not JSON text', at);
  }
  return text;
}

function makeListReader(readItem: ValueReader): ValueReader {
  return (json) => {
    json.expect(OPEN_LIST, 'invalid type, expected a sequence');
    const items: Cell[] = [];
    if (json.take(CLOSE_LIST)) return items;
    json.enter();
    do {
      if (json.takeWord('null')) throw json.fail('null in a sequence'); // not representable
      items.push(readItem(json));
    } while (json.take(COMMA));
    json.expect(CLOSE_LIST, 'expected `,` or `]`');
    json.leave();
    return items;
  };
}

function makeMapReader(readKey: (json: JsonReader) => Cell, readValue: ValueReader): ValueReader {
  return (json) => {
    json.expect(OPEN_MAP, 'invalid type, expected a map');
    const entries = new Map<Cell, Cell>();
    if (json.take(CLOSE_MAP)) return [];
    json.enter();
    do {
      const { at } = json;
      const key = readKey(json);
      if (entries.has(key)) throw json.fail('duplicate key', at);
      json.expect(COLON, 'expected `:`');
      if (json.takeWord('null')) throw json.fail('null in a map');
      entries.set(key, readValue(json));
    } while (json.take(COMMA));
    json.expect(CLOSE_MAP, 'expected `,` or `}`');
    json.leave();
    return [...entries];
  };
}

/** Keys are strings in JSON; K is a string, an integer or a boolean. */
function makeKeyReader(type: DataType): (json: JsonReader) => Cell {
  if (type.kind === 'string') return (json) => json.readString();
  return (json) => {
    const { at } = json;
    const text = json.readString();
    if (type.kind === 'boolean' && (text === 'true' || text === 'false')) return text === 'true';
    if (/^-?(?:0|[1-9][0-9]*)$/.test(text)) {
      if (type.kind === 'long' && BigInt.asIntN(64, BigInt(text)) === BigInt(text)) return BigInt(text);
      if (type.kind === 'integer' && Number(text) === (Number(text) | 0)) return Number(text);
    }
    throw json.fail('invalid map key', at);
  };
}
