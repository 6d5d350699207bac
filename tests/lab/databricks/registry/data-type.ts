/** Types of columns, and their three spellings: SQL text, Unity Catalog's `type_text` (4.1 of the contract) and its `type_name`. */

export type SimpleName =
  | 'string'
  | 'boolean'
  | 'byte'
  | 'short'
  | 'integer'
  | 'long'
  | 'float'
  | 'double'
  | 'date'
  | 'timestamp'
  | 'timestamp_ntz'
  | 'binary'
  | 'variant';

/** Names as in the Delta protocol. */
export type DataType =
  | { readonly kind: SimpleName }
  | { readonly kind: 'decimal'; readonly precision: number; readonly scale: number }
  | { readonly kind: 'array'; readonly element: DataType; readonly containsNull: boolean }
  | { readonly kind: 'map'; readonly key: DataType; readonly value: DataType; readonly valueContainsNull: boolean }
  | { readonly kind: 'struct'; readonly fields: readonly StructField[] };

export interface StructField {
  readonly name: string;
  readonly type: DataType;
  readonly nullable: boolean;
  readonly comment?: string;
}

/** Words of SQL, in lower case, and what they mean. The first word of a type is the one that `type_text` uses. */
const WORDS: Readonly<Record<SimpleName, readonly string[]>> = {
  string: ['string'],
  boolean: ['boolean'],
  byte: ['tinyint', 'byte'],
  short: ['smallint', 'short'],
  integer: ['int', 'integer'],
  long: ['bigint', 'long'],
  float: ['float', 'real'],
  double: ['double'],
  date: ['date'],
  timestamp: ['timestamp', 'timestamp_ltz'],
  timestamp_ntz: ['timestamp_ntz'],
  binary: ['binary'],
  variant: ['variant'],
};

const SIMPLE = new Map(
  Object.entries(WORDS).flatMap(([kind, words]) => words.map((word) => [word, kind as SimpleName] as const)),
);

/**
 * The type that a text names, in SQL's spelling: `BIGINT`, `decimal(10,2)`, `ARRAY<STRUCT<a: STRING NOT NULL, b: INT>>`.
 *
 * @throws Error with the place where the text stops being a type
 */
export function parseType(text: string): DataType {
  const reader = new TypeReader(text);
  const type = reader.readType();
  reader.readEnd();
  return type;
}

class TypeReader {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  readType(): DataType {
    const word = this.readWord().toLowerCase();
    const simple = SIMPLE.get(word);
    if (simple !== undefined) return { kind: simple };
    if (word === 'decimal' || word === 'dec' || word === 'numeric') return this.readDecimal();
    if (word === 'array') {
      this.expect('<');
      const element = this.readType();
      this.expect('>');
      return { kind: 'array', element, containsNull: true };
    }
    if (word === 'map') {
      this.expect('<');
      const key = this.readType();
      this.expect(',');
      const value = this.readType();
      this.expect('>');
      return { kind: 'map', key, value, valueContainsNull: true };
    }
    if (word === 'struct') return this.readStruct();
    throw this.fail(`'${word}' is not a type`);
  }

  readEnd(): void {
    if (this.skip() < this.text.length) throw this.fail('text after the type');
  }

  private readDecimal(): DataType {
    if (!this.take('(')) return { kind: 'decimal', precision: 10, scale: 0 };
    const precision = Number(this.readWord());
    const scale = this.take(',') ? Number(this.readWord()) : 0;
    this.expect(')');
    if (!(precision >= 1 && precision <= 38 && scale >= 0 && scale <= precision)) throw this.fail('no such decimal');
    return { kind: 'decimal', precision, scale };
  }

  private readStruct(): DataType {
    const fields: StructField[] = [];
    this.expect('<');
    while (!this.take('>')) {
      if (fields.length > 0) this.expect(',');
      const name = this.readName();
      this.take(':');
      const type = this.readType();
      const nullable = !this.takeWords('not', 'null');
      const comment = this.takeWords('comment') ? this.readText() : undefined;
      fields.push({ name, type, nullable, ...(comment !== undefined && { comment }) });
    }
    return { kind: 'struct', fields };
  }

  private readName(): string {
    this.skip();
    const quoted = /`((?:[^`]|``)+)`/y;
    quoted.lastIndex = this.at;
    const match = quoted.exec(this.text);
    if (match === null) return this.readWord();
    this.at = quoted.lastIndex;
    return (match[1] as string).replaceAll('``', '`');
  }

  private readText(): string {
    this.skip();
    const literal = /'([^']*)'/y;
    literal.lastIndex = this.at;
    const match = literal.exec(this.text);
    if (match === null) throw this.fail('expected a text in quotes');
    this.at = literal.lastIndex;
    return match[1] as string;
  }

  private readWord(): string {
    this.skip();
    const word = /\w+/y;
    word.lastIndex = this.at;
    const match = word.exec(this.text);
    if (match === null) throw this.fail('expected a word');
    this.at = word.lastIndex;
    return match[0];
  }

  private takeWords(...words: string[]): boolean {
    const start = this.skip();
    const pattern = new RegExp(words.join('\\s+') + '\\b', 'iy');
    pattern.lastIndex = start;
    if (!pattern.test(this.text)) return false;
    this.at = pattern.lastIndex;
    return true;
  }

  private take(sign: string): boolean {
    if (this.text[this.skip()] !== sign) return false;
    this.at++;
    return true;
  }

  private expect(sign: string): void {
    if (!this.take(sign)) throw this.fail(`expected '${sign}'`);
  }

  private skip(): number {
    while (/\s/.test(this.text[this.at] ?? '')) this.at++;
    return this.at;
  }

  private fail(what: string): Error {
    return new Error(`type '${this.text}', character ${this.at + 1}: ${what}`);
  }
}

/** `type_text`: `bigint`, `struct<a:string,b:decimal(10,2)>`. */
export function printType(type: DataType): string {
  if (type.kind === 'decimal') return `decimal(${type.precision},${type.scale})`;
  if (type.kind === 'array') return `array<${printType(type.element)}>`;
  if (type.kind === 'map') return `map<${printType(type.key)},${printType(type.value)}>`;
  if (type.kind === 'struct') return `struct<${type.fields.map((field) => `${field.name}:${printType(field.type)}`).join(',')}>`;
  return WORDS[type.kind][0] as string;
}

/** `type_name`: `LONG`, `INT`, `STRUCT`. */
export function nameType(type: DataType): string {
  return type.kind === 'integer' ? 'INT' : type.kind.toUpperCase();
}

/** True when a value of such a type may hold one that `matches`. */
export function someType(type: DataType, matches: (type: DataType) => boolean): boolean {
  if (matches(type)) return true;
  if (type.kind === 'array') return someType(type.element, matches);
  if (type.kind === 'map') return someType(type.key, matches) || someType(type.value, matches);
  return type.kind === 'struct' && type.fields.some((field) => someType(field.type, matches));
}
