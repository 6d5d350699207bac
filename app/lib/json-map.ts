/** A place in a text; both from 1, columns in UTF-16 units as editors count them. */
export interface TextPlace {
  readonly line: number;
  readonly column: number;
}

/** A text that is not JSON, with the place where that shows. */
export class JsonSyntaxError extends Error {
  readonly place: TextPlace;

  constructor(message: string, place: TextPlace) {
    super(message);
    this.place = place;
  }
}

const TOKEN =
  /[ \t\r\n]*(?:("(?:[ !#-[\]-\uffff]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*")|(-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)|([[\]{},:]))/y;
const MAX_DEPTH = 1_000;

/**
 * The place of every value of a JSON text by its path, as `select[0].column[2].path`; the whole has the path ''. Members of the same name: the last.
 * @throws JsonSyntaxError
 */
export function mapJson(text: string): ReadonlyMap<string, TextPlace> {
  const offsets = new Map<string, number>();
  let next = 0;
  const fail = (message: string, at: number): never => {
    throw new JsonSyntaxError(message, placeOf(text, at));
  };
  /** The next token; its kind is told by its first character. */
  const take = (): { readonly token: string; readonly at: number } => {
    TOKEN.lastIndex = next;
    const found = TOKEN.exec(text);
    if (found === null) {
      const at = next + (/^[ \t\r\n]*/.exec(text.slice(next))?.[0].length ?? 0);
      return fail(at >= text.length ? 'the text ends too early' : 'unexpected character', at);
    }
    next = TOKEN.lastIndex;
    const token = found[1] ?? found[2] ?? found[3] ?? '';
    return { token, at: next - token.length };
  };
  const expectToken = (expected: string): string => {
    const { token, at } = take();
    return expected.includes(token) ? token : fail(`expected ${expected.split('').join(' or ')}`, at);
  };
  const takeMembers = (path: string, depth: number): void => {
    for (let first = true; ; first = false) {
      const { token, at } = take();
      if (first && token === '}') return;
      if (!token.startsWith('"')) fail('expected a name in quotes', at);
      const name = JSON.parse(token) as string;
      expectToken(':');
      takeValue(path === '' ? name : `${path}.${name}`, depth);
      if (expectToken(',}') === '}') return;
    }
  };
  const takeItems = (path: string, depth: number): void => {
    const before = next;
    if (take().token === ']') return;
    next = before;
    for (let index = 0; ; index++) {
      takeValue(`${path}[${index}]`, depth);
      if (expectToken(',]') === ']') return;
    }
  };
  const takeValue = (path: string, depth: number): void => {
    const { token, at } = take();
    offsets.set(path, at);
    if (depth > MAX_DEPTH) fail(`nested more than ${MAX_DEPTH} deep`, at);
    if (token === '{') takeMembers(path, depth + 1);
    else if (token === '[') takeItems(path, depth + 1);
    else if ('}],:'.includes(token)) fail('expected a value', at);
  };
  takeValue('', 0);
  const rest = text.slice(next).search(/[^ \t\r\n]/);
  if (rest >= 0) fail('expected the end', next + rest);
  return new Map([...offsets].map(([path, offset]) => [path, placeOf(text, offset)]));
}

function placeOf(text: string, offset: number): TextPlace {
  const before = text.slice(0, offset).split('\n');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1 };
}

/** The place of a path or, when it is missing in the text, of the nearest value around it. */
export function findPlace(places: ReadonlyMap<string, TextPlace>, path: string): TextPlace {
  for (let at = path; at !== ''; at = at.replace(/\.?[^.[]*$|\[\d+\]$/, '')) {
    const place = places.get(at);
    if (place !== undefined) return place;
  }
  return places.get('') ?? { line: 1, column: 1 };
}
