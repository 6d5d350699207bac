import { parseArgs } from 'node:util';

/** The words of a command do not make sense. */
export class WrongWords extends Error {}

export interface Words {
  readonly positionals: readonly string[];
  /** The value of an option that takes a text. */
  text(name: string): string | undefined;
  /** @throws WrongWords when it is absent */
  required(name: string): string;
  flag(name: string): boolean;
}

/** @param options names of those that take a text, and of those that take nothing. @throws WrongWords for anything else */
export function readWords(
  args: readonly string[],
  options: { readonly texts: readonly string[]; readonly flags: readonly string[] },
): Words {
  const config: Record<string, { readonly type: 'string' | 'boolean' }> = Object.fromEntries<{
    readonly type: 'string' | 'boolean';
  }>([
    ...options.texts.map((name) => [name, { type: 'string' as const }] as const),
    ...options.flags.map((name) => [name, { type: 'boolean' as const }] as const),
  ]);
  const { values, positionals } = parse(args, config);
  const text = (name: string): string | undefined => {
    const value = values[name];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    positionals,
    text,
    required: (name) => {
      const value = text(name);
      if (value === undefined || value === '') throw new WrongWords(`--${name} is missing`);
      return value;
    },
    flag: (name) => values[name] === true,
  };
}

function parse(
  args: readonly string[],
  options: Record<string, { readonly type: 'string' | 'boolean' }>,
): { readonly values: Readonly<Record<string, unknown>>; readonly positionals: readonly string[] } {
  try {
    return parseArgs({ args: [...args], allowPositionals: true, options });
  } catch (error) {
    throw new WrongWords(error instanceof Error ? error.message : 'wrong words');
  }
}
