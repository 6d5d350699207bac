/** Bound on generated text: beyond it the gain is not worth the time V8 takes to read it. */
const MAX_SOURCE_LENGTH = 1_000_000;

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
  /** `.name` of a property. @throws Error for anything but a plain FHIR name */
  readonly property: (name: string) => string;
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
        constants.push(value);
      }
      return name;
    },
    property: (name) => {
      if (!/^_?[a-z][A-Za-z0-9]*$/.test(name) || name in Object.prototype) throw new Error('not the name of a FHIR element');
      return `.${name}`;
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
