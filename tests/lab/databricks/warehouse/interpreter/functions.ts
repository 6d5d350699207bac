import type { Cell } from '../../registry/cells.ts';
import type { DataType } from '../../registry/data-type.ts';
import { SqlError } from '../sql/sql-error.ts';
import { readTypeText, spellType, type SqlType } from '../sql/sql-type.ts';
import type { Expression } from '../sql/syntax.ts';
import { castCell } from './cast.ts';
import { checkCastable } from './castable.ts';
import type { Compiled } from './compile.ts';
import type { Context } from './context.ts';
import { fromJson } from './from-json.ts';

type Call = Expression & { readonly kind: 'call' };

/**
 * A function that gives one value for one row. `inline`, `count`, `min`, `max` and `row_number` are not among them: see query.ts.
 *
 * @throws SqlError for unknown functions, wrong numbers and types of operands
 */
export function compileCall(call: Call, operands: readonly Compiled[], context: Context): Compiled {
  const counted = (...counts: readonly number[]): void => checkCount(call, counts);
  const [first, second] = operands as [Compiled, Compiled];
  switch (call.name) {
    case 'current_user':
    case 'session_user':
    case 'user':
      counted(0);
      return { type: { kind: 'string' }, read: () => context.request.principal };
    case 'current_timestamp':
    case 'now':
      counted(0);
      return { type: { kind: 'timestamp' }, read: () => context.nowMicros };
    case 'to_timestamp':
      counted(1);
      return makeCast(first, { kind: 'timestamp' }, call.text);
    case 'to_date':
      counted(1);
      return makeCast(first, { kind: 'date' }, call.text);
    case 'timestamp_micros':
      return (counted(1), makeInstant(first, 1n, call.text));
    case 'timestamp_millis':
      return (counted(1), makeInstant(first, 1_000n, call.text));
    case 'timestamp_seconds':
      return (counted(1), makeInstant(first, 1_000_000n, call.text));
    case 'date_from_unix_date': {
      counted(1);
      checkWhole(first, call.text, ['byte', 'short', 'integer', 'long']);
      return { ...makeCast(first, { kind: 'integer' }, call.text), type: { kind: 'date' } };
    }
    case 'unbase64':
      counted(1);
      return { type: { kind: 'binary' }, read: (row) => decodeBase64(castCell(first.read(row), first.type, { kind: 'string' })) };
    case 'coalesce': {
      const type = operands.find((operand) => operand.type.kind !== 'void')?.type ?? { kind: 'void' };
      const casts = operands.map((operand) => (type.kind === 'void' ? operand : makeCast(operand, type, call.text)));
      return { type, read: (row) => casts.map(({ read }) => read(row)).find((cell) => cell !== null) ?? null };
    }
    case 'array': {
      const element = operands.find((operand) => operand.type.kind !== 'void')?.type ?? { kind: 'string' };
      const items = operands.map((operand) => makeCast(operand, asData(element), call.text));
      return {
        type: { kind: 'array', element: asData(element), containsNull: true },
        read: (row) => items.map(({ read }) => read(row)),
      };
    }
    case 'map': {
      if (operands.length % 2 !== 0) throw failCount(call, ['an even number']);
      const pairs = operands.flatMap((key, index) => (index % 2 === 0 ? [[key, operands[index + 1] as Compiled] as const] : []));
      const [key, value] = pairs[0]?.map((part) => asData(part.type)) ?? [{ kind: 'string' }, { kind: 'string' }];
      const type = { kind: 'map', key: key as DataType, value: value as DataType, valueContainsNull: true } as const;
      return { type, read: (row) => pairs.map(([a, b]) => [a.read(row), b.read(row)]) };
    }
    case 'named_struct': {
      if (operands.length % 2 !== 0) throw failCount(call, ['an even number']);
      const names = operands.filter((_, index) => index % 2 === 0).map((operand) => operand.read([]) as string);
      const values = operands.filter((_, index) => index % 2 === 1);
      const fields = values.map((value, index) => ({ name: names[index] as string, type: asData(value.type), nullable: true }));
      const read = (row: readonly Cell[]): Cell =>
        Object.fromEntries(values.map((value, index) => [names[index] as string, value.read(row)]));
      return { type: { kind: 'struct', fields }, read };
    }
    case 'from_json':
      counted(2, 3);
      return compileFromJson(first, second, operands[2]);
    default: {
      const text = `Cannot resolve routine \`${call.name}\` on search path [\`system\`.\`builtin\`, \`system\`.\`session\`]. SQLSTATE: 42883`;
      throw new SqlError('UNRESOLVED_ROUTINE', '42883', text);
    }
  }
}

function compileFromJson(text: Compiled, schema: Compiled, options: Compiled | undefined): Compiled {
  const type = readTypeText(schema.read([]) as string);
  if (!['array', 'struct', 'map'].includes(type.kind)) {
    throw new SqlError(
      'DATATYPE_MISMATCH.INVALID_JSON_SCHEMA',
      '42K09',
      `Input schema "${spellType(type)}" must be a struct, an array, a map or a variant. SQLSTATE: 42K09`,
    );
  }
  const entries = (options?.read([]) ?? []) as [Cell, Cell][];
  const mode = entries.find(([key]) => key === 'mode')?.[1] ?? 'PERMISSIVE';
  if (mode !== 'FAILFAST' && mode !== 'PERMISSIVE') {
    throw new SqlError(
      'PARSE_MODE_UNSUPPORTED',
      '42000',
      `The function \`from_json\` doesn't support the ${mode as string} mode. SQLSTATE: 42000`,
    );
  }
  return { type: loosen(type), read: (row) => fromJson(text.read(row) as string | null, type, mode) };
}

/** Spark reads every field as nullable, whatever the schema says. */
function loosen(type: DataType): DataType {
  if (type.kind === 'array') return { ...type, element: loosen(type.element) };
  if (type.kind === 'map') return { ...type, value: loosen(type.value) };
  if (type.kind !== 'struct') return type;
  return { kind: 'struct', fields: type.fields.map((field) => ({ ...field, type: loosen(field.type), nullable: true })) };
}

function makeCast({ type: from, read }: Compiled, type: SqlType, text: string): Compiled {
  if (type.kind === 'void') return { type: from, read };
  checkCastable(from, type, text);
  return { type, read: (row) => castCell(read(row), from, type) };
}

function makeInstant(operand: Compiled, unitMicros: bigint, text: string): Compiled {
  checkWhole(operand, text, ['byte', 'short', 'integer', 'long']);
  const read = (row: readonly Cell[]): Cell => {
    const cell = operand.read(row);
    if (cell === null) return null;
    const micros = BigInt(cell as number | bigint) * unitMicros;
    if (BigInt.asIntN(64, micros) !== micros)
      throw new SqlError('ARITHMETIC_OVERFLOW', '22003', 'long overflow. SQLSTATE: 22003');
    return micros;
  };
  return { type: { kind: 'timestamp' }, read };
}

function decodeBase64(cell: Cell): Cell {
  return cell === null ? null : Uint8Array.from(Buffer.from(cell as string, 'base64'));
}

function checkWhole({ type }: Compiled, text: string, allowed: readonly string[]): void {
  if (type.kind === 'void' || allowed.includes(type.kind)) return;
  const message = `Cannot resolve "${text}" due to data type mismatch: the parameter has the type "${spellType(type)}". SQLSTATE: 42K09`;
  throw new SqlError('DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE', '42K09', message);
}

function asData(type: SqlType): DataType {
  return type.kind === 'void' ? { kind: 'string' } : type;
}

function checkCount(call: Call, counts: readonly number[]): void {
  if (!counts.includes(call.operands.length)) throw failCount(call, counts);
}

function failCount({ name, operands }: Call, expected: readonly (number | string)[]): SqlError {
  const text = `The \`${name}\` requires ${expected.join(' or ')} parameters but the actual number is ${operands.length}. SQLSTATE: 42605`;
  return new SqlError('WRONG_NUM_ARGS.WITHOUT_SUGGESTION', '42605', text);
}
