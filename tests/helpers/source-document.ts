import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Availability } from './services/availability.ts';

/** A resource in the document. */
export interface DocumentedResource {
  readonly resourceType: string;
  readonly id?: string;
  readonly [element: string]: unknown;
}

export interface DocumentedDestination extends DocumentedResource {
  readonly id: string;
  readonly topic: string;
  readonly parameter: readonly { readonly name: string; readonly valueString?: string; readonly [value: string]: unknown }[];
}

/** What the main source document lets its readers do. */
export interface SourceDocument {
  /** JSON bodies that follow `POST <path>` on a line of its own. */
  bodiesOf(path: string): readonly DocumentedResource[];
  /** The SQL query for the latest state. */
  readonly latestStateQuery: string;
}

const SEEDS = new URL('../../../shared/seeds/', import.meta.url);

export function findSourceDocument(): Availability<SourceDocument> {
  const name = 'source document';
  if (!existsSync(SEEDS)) return { name, enableBy: 'put ../shared/seeds beside the checkout', needsPerson: true };
  const file = readdirSync(SEEDS).find((entry) => entry.startsWith('000_')) ?? '';
  const text = readFileSync(fileURLToPath(new URL(file, SEEDS)), 'utf8');
  return {
    name,
    found: {
      bodiesOf: (path) =>
        text
          .split(`POST ${path}\n`)
          .slice(1)
          .map((part) => JSON.parse(part.slice(0, endOfObject(part))) as DocumentedResource),
      latestStateQuery: /SELECT \* EXCEPT\(rn\) FROM \([\s\S]*?;/.exec(text)?.[0] ?? '',
    },
  };
}

function endOfObject(text: string): number {
  let depth = 0;
  for (let index = 0; index < text.length; index++) {
    if (text[index] === '{') depth++;
    if (text[index] === '}' && --depth === 0) return index + 1;
  }
  throw new Error('the document ends within a body');
}
