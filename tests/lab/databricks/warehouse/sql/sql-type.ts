import { parseType, printType, type DataType } from '../../registry/data-type.ts';
import { SqlError } from './sql-error.ts';
import type { TokenReader } from './token-reader.ts';

/** The type of an expression. `void` is that of NULL. */
export type SqlType = DataType | { readonly kind: 'void' };

/** The type that the next tokens name: a word with what stands in its `()` or `<>`. @throws SqlError UNSUPPORTED_DATATYPE */
export function readSqlType(reader: TokenReader): DataType {
  const { start } = reader.peek();
  let { end } = reader.peek();
  reader.readIdentifier();
  for (let depth = 0; depth > 0 || reader.isAtSign('(') || reader.isAtSign('<');) {
    const token = reader.next();
    if (token.kind === 'end') throw reader.fail();
    if (token.kind === 'sign')
      depth += token.value === '(' || token.value === '<' ? 1 : token.value === ')' || token.value === '>' ? -1 : 0;
    end = token.end;
    if (depth === 0) break;
  }
  return readTypeText(reader.text.slice(start, end));
}

/** @throws SqlError UNSUPPORTED_DATATYPE */
export function readTypeText(text: string): DataType {
  try {
    return parseType(text);
  } catch {
    throw new SqlError('UNSUPPORTED_DATATYPE', '0A000', `Unsupported data type "${text.toUpperCase()}". SQLSTATE: 0A000`);
  }
}

/** As messages spell it: `"DECIMAL(12,3)"` without the quotes. */
export function spellType(type: SqlType): string {
  return type.kind === 'void' ? 'VOID' : printType(type).toUpperCase();
}
