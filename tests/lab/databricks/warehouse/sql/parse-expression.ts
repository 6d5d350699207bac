import { readNumber, readTypedLiteral, type Literal } from './parse-literal.ts';
import { readSqlType } from './sql-type.ts';
import type { Expression, Operator, SortKey, Window } from './syntax.ts';
import type { TokenReader } from './token-reader.ts';

const COMPARISONS: Readonly<Record<string, Operator>> = {
  '=': '=',
  '==': '=',
  '<=>': '<=>',
  '<>': '<>',
  '!=': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
};

/** An expression, as far as the interpreter knows them. @throws SqlError PARSE_SYNTAX_ERROR */
export function readExpression(reader: TokenReader): Expression {
  return new ExpressionParser(reader).readOr();
}

/** `expression [ASC | DESC], …` */
export function readSortKeys(reader: TokenReader): SortKey[] {
  const keys: SortKey[] = [];
  do {
    const expression = readExpression(reader);
    const isDescending = reader.take('DESC');
    if (!isDescending) reader.take('ASC');
    keys.push({ expression, isDescending });
  } while (reader.takeSign(','));
  return keys;
}

class ExpressionParser {
  private readonly reader: TokenReader;

  constructor(reader: TokenReader) {
    this.reader = reader;
  }

  readOr(): Expression {
    return this.readBinary('OR', () => this.readBinary('AND', () => this.readNot()));
  }

  private readBinary(operator: 'AND' | 'OR', readOperand: () => Expression): Expression {
    const start = this.reader.peek().start;
    let left = readOperand();
    while (this.reader.take(operator)) left = this.operator(start, operator, left, readOperand());
    return left;
  }

  private readNot(): Expression {
    const start = this.reader.peek().start;
    return this.reader.take('NOT') ? this.operator(start, 'NOT', this.readNot()) : this.readComparison();
  }

  private readComparison(): Expression {
    const { reader } = this;
    const start = reader.peek().start;
    const left = this.readUnary();
    const sign = reader.peek();
    const comparison = sign.kind === 'sign' ? COMPARISONS[sign.value] : undefined;
    if (comparison !== undefined) {
      reader.next();
      return this.operator(start, comparison, left, this.readUnary());
    }
    if (reader.take('IS')) {
      const isNegated = reader.take('NOT');
      reader.expect('NULL');
      return this.negate(start, isNegated, this.operator(start, 'IS NULL', left));
    }
    const isNegated =
      reader.isAt('NOT') && (reader.peek(1).value === 'IN' || reader.peek(1).value === 'LIKE') && reader.take('NOT');
    if (reader.take('IN')) {
      const options = reader.readList(() => this.readOr());
      return this.negate(start, isNegated, this.operator(start, 'IN', left, ...options));
    }
    if (reader.take('LIKE')) return this.negate(start, isNegated, this.operator(start, 'LIKE', left, this.readUnary()));
    return left;
  }

  private readUnary(): Expression {
    const start = this.reader.peek().start;
    if (this.reader.takeSign('-')) {
      const { kind } = this.reader.peek();
      // The sign belongs to the number: the smallest BIGINT has no positive counterpart.
      if (kind === 'number') return this.literal(readNumber(this.reader.next(), '-'), start);
      return this.operator(start, '-', this.readUnary());
    }
    if (this.reader.takeSign('+')) return this.readUnary();
    let operand = this.readPrimary();
    while (this.reader.takeSign('::')) {
      const type = readSqlType(this.reader);
      operand = { kind: 'cast', operand, type, isTry: false, text: this.textFrom(start) };
    }
    return operand;
  }

  private readPrimary(): Expression {
    const { reader } = this;
    const token = reader.peek();
    switch (token.kind) {
      case 'text':
        reader.next();
        return this.literal({ type: { kind: 'string' }, value: token.value }, token.start);
      case 'number':
        reader.next();
        return this.literal(readNumber(token), token.start);
      case 'parameter':
        reader.next();
        return { kind: 'parameter', key: token.value, text: token.source };
      case 'marker':
        reader.next();
        return { kind: 'parameter', key: reader.nextMarker(), text: token.source };
      case 'word':
        return this.readWord(token.start);
      case 'name':
        return this.column(token.start);
      case 'sign':
      case 'end': {
        if (!reader.takeSign('(')) throw reader.fail();
        const inside = this.readOr();
        reader.expectSign(')');
        return inside;
      }
    }
  }

  private readWord(start: number): Expression {
    const { reader } = this;
    if (reader.take('NULL')) return this.literal({ type: { kind: 'void' }, value: null }, start);
    if (reader.take('TRUE')) return this.literal({ type: { kind: 'boolean' }, value: true }, start);
    if (reader.take('FALSE')) return this.literal({ type: { kind: 'boolean' }, value: false }, start);
    const word = reader.peek().value;
    if (reader.peek(1).kind === 'text') {
      const typed = readTypedLiteral(word, reader.peek(1).value);
      if (typed === undefined) throw reader.fail();
      reader.next();
      reader.next();
      return this.literal(typed, start);
    }
    const isCall = reader.peek(1).kind === 'sign' && reader.peek(1).value === '(';
    if (!isCall) return this.column(start);
    if (word === 'CAST' || word === 'TRY_CAST') return this.readCast(start, word === 'TRY_CAST');
    return this.readCall(start);
  }

  private readCast(start: number, isTry: boolean): Expression {
    const { reader } = this;
    reader.next();
    reader.expectSign('(');
    const operand = this.readOr();
    reader.expect('AS');
    const type = readSqlType(reader);
    reader.expectSign(')');
    return { kind: 'cast', operand, type, isTry, text: this.textFrom(start) };
  }

  private readCall(start: number): Expression {
    const { reader } = this;
    const name = reader.readIdentifier().toLowerCase();
    reader.expectSign('(');
    const operands: Expression[] = [];
    if (name === 'count' && reader.takeSign('*'))
      operands.push({ kind: 'literal', type: { kind: 'integer' }, value: 1, text: '1' });
    else if (!reader.isAtSign(')')) {
      do operands.push(this.readOr());
      while (reader.takeSign(','));
    }
    reader.expectSign(')');
    const text = `${name}(${operands.map((operand) => operand.text).join(', ')})`;
    const window = reader.take('OVER') ? this.readWindow() : undefined;
    return { kind: 'call', name, operands, window, text: window === undefined ? text : this.textFrom(start) };
  }

  private readWindow(): Window {
    const { reader } = this;
    const partitionBy: Expression[] = [];
    reader.expectSign('(');
    if (reader.take('PARTITION', 'BY')) {
      do partitionBy.push(this.readOr());
      while (reader.takeSign(','));
    }
    const orderBy = reader.take('ORDER', 'BY') ? readSortKeys(reader) : [];
    reader.expectSign(')');
    return { partitionBy, orderBy };
  }

  private column(start: number): Expression {
    const path = this.reader.readName();
    return { kind: 'column', path, text: this.textFrom(start) };
  }

  private literal(literal: Literal, start: number): Expression {
    const text = literal.type.kind === 'string' ? (literal.value as string) : this.textFrom(start);
    return { kind: 'literal', ...literal, text };
  }

  private operator(start: number, operator: Operator, ...operands: readonly Expression[]): Expression {
    return { kind: 'operator', operator, operands, text: this.textFrom(start) };
  }

  private negate(start: number, isNegated: boolean, operand: Expression): Expression {
    return isNegated ? this.operator(start, 'NOT', operand) : operand;
  }

  /** The statement's text from an offset to the last token that was read. */
  private textFrom(start: number): string {
    return this.reader.text.slice(start, this.reader.peek(-1).end);
  }
}
