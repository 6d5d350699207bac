/** JSON with the digits of its numbers and the text of its parts, which `from_json` needs for STRING fields. */
export type JsonTree =
  | { readonly kind: 'null' | 'true' | 'false' | 'number' }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'array'; readonly items: readonly JsonNode[] }
  | { readonly kind: 'object'; readonly members: readonly (readonly [string, JsonNode])[] };

/** `text` is compact JSON, numbers as they were written. */
export type JsonNode = JsonTree & { readonly text: string };

const SPACE = /[ \t\r\n]*/y;
// eslint-disable-next-line no-control-regex -- JSON refuses them
const TEXT = /"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"/y;
const PLAIN = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y;

/** The JSON value that a text holds; undefined when it is none. */
export function parseJson(text: string): JsonNode | undefined {
  const reader = new Reader(text);
  const node = reader.readValue();
  return node !== undefined && reader.isAtEnd() ? node : undefined;
}

class Reader {
  private at = 0;
  private readonly text: string;

  constructor(text: string) {
    this.text = text;
  }

  isAtEnd(): boolean {
    this.match(SPACE);
    return this.at === this.text.length;
  }

  readValue(): JsonNode | undefined {
    this.match(SPACE);
    if (this.take('[')) return this.readArray();
    if (this.take('{')) return this.readObject();
    const quoted = this.match(TEXT);
    if (quoted !== undefined) return { kind: 'text', value: JSON.parse(quoted) as string, text: quoted };
    const plain = this.match(PLAIN);
    if (plain === undefined) return undefined;
    return { kind: plain === 'true' || plain === 'false' || plain === 'null' ? plain : 'number', text: plain };
  }

  private readArray(): JsonNode | undefined {
    const items: JsonNode[] = [];
    if (!this.takeClose(']')) {
      do {
        const item = this.readValue();
        if (item === undefined) return undefined;
        items.push(item);
      } while (this.takeClose(','));
      if (!this.takeClose(']')) return undefined;
    }
    return { kind: 'array', items, text: `[${items.map((item) => item.text).join(',')}]` };
  }

  private readObject(): JsonNode | undefined {
    const members: (readonly [string, JsonNode])[] = [];
    if (!this.takeClose('}')) {
      do {
        this.match(SPACE);
        const name = this.match(TEXT);
        if (name === undefined || !this.takeClose(':')) return undefined;
        const value = this.readValue();
        if (value === undefined) return undefined;
        members.push([JSON.parse(name) as string, value]);
      } while (this.takeClose(','));
      if (!this.takeClose('}')) return undefined;
    }
    return {
      kind: 'object',
      members,
      text: `{${members.map(([name, value]) => `${JSON.stringify(name)}:${value.text}`).join(',')}}`,
    };
  }

  private takeClose(sign: string): boolean {
    this.match(SPACE);
    return this.take(sign);
  }

  private take(sign: string): boolean {
    const found = this.text[this.at] === sign;
    if (found) this.at++;
    return found;
  }

  private match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.at;
    const found = pattern.exec(this.text)?.[0];
    this.at += found?.length ?? 0;
    return found;
  }
}
