/** Bound on generated text: beyond it the gain is not worth the time V8 takes to read it. */
const MAX_SOURCE_LENGTH = 1_000_000;

/** The variable that holds the resource. */
export const RESOURCE = 'r';
/** Matches the variables that hold its properties. */
export const ROOT_PROPERTY = /\br_(\w+)/g;

/** A view that would become too large a function. */
export class SourceTooLong extends Error {}

/**
 * Text of the function that is being generated. Nothing of a view's text can get into it: values go through `constant`, which yields the
 * name of an entry of an array; names of properties must be plain FHIR names; names of variables are made here.
 */
export interface Source {
  readonly write: (line: string) => void;
  /** A new variable name. */
  readonly name: (prefix: string) => string;
  /** The name under which the generated code finds a value. */
  readonly constant: (value: unknown) => string;
  /**
   * The JavaScript of a property of an object. Properties of the resource are variables (ROOT_PROPERTY), to be filled before all else.
   * @throws Error for anything but a plain FHIR name
   */
  readonly read: (object: string, name: string) => string;
  /** The name of a property as a literal. @throws Error for anything but a plain FHIR name */
  readonly quote: (name: string) => string;
  /** Writes a function beside the one that is being generated. */
  readonly define: (head: string, body: () => void) => void;
  /** The functions beside the main one. */
  readonly functions: () => readonly string[];
  readonly text: () => string;
  readonly constants: readonly unknown[];
}

/** An item in generated code. */
export interface Item {
  /** The expression that holds it. */
  readonly js: string;
  /** A test, valid where the item is, for a `_property` beside an object. */
  readonly metadata?: string;
  /** A test for what should be an object and is none; whoever reads a property of the item owes it where that is missing. */
  readonly notObject?: string;
}

export function makeSource(): Source {
  let lines: string[] = [];
  const functions: string[] = [];
  const constants: unknown[] = [];
  const known = new Map<unknown, string>();
  let names = 0;
  let length = 0;
  return {
    write: (line) => {
      length += line.length + 1;
      if (length > MAX_SOURCE_LENGTH) throw new SourceTooLong(`more than ${MAX_SOURCE_LENGTH} characters of code`);
      lines.push(line);
    },
    name: (prefix) => `${prefix}${++names}`,
    constant: (value) => {
      let name = known.get(value);
      if (name === undefined) {
        name = `k${constants.length}`;
        known.set(value, name);
        constants.push(typeof value === 'string' ? flat(value) : value);
      }
      return name;
    },
    read: (object, name) => {
      checkName(name);
      return object === RESOURCE ? `${RESOURCE}_${name}` : `${object}.${name}`;
    },
    quote: (name) => {
      checkName(name);
      return `'${name}'`;
    },
    define: (head, body) => {
      const outer = lines;
      lines = [];
      body();
      functions.push(`${head} {`, ...lines, '}');
      lines = outer;
    },
    functions: () => functions,
    text: () => lines.join('\n'),
    constants,
  };
}

function checkName(name: string): void {
  if (!/^_?[a-z][A-Za-z0-9]*$/.test(name) || name in Object.prototype) throw new Error('not the name of a FHIR element');
}

/** A copy of its own: V8 keeps a text that was cut out of an expression as a part of that, and compares such parts slowly. */
function flat(text: string): string {
  return Object.keys({ [text]: true })[0] ?? text;
}
