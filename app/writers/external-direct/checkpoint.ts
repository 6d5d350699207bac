import { z } from 'zod';

const Stored = z.object({
  v: z.literal(1),
  version: z.number().int(),
  commitId: z.string(),
  tableId: z.string(),
  transaction: z.number().int(),
});

/** Where an owner stood after a commit; kept in the queue store, a cache of the table (design E3, E7). */
export interface OwnerCheckpoint {
  readonly version: number;
  readonly commitId: string;
  /** `metaData.id` of the table. */
  readonly tableId: string;
  /** Version of our transaction in the table. */
  readonly transaction: number;
}

export function encodeCheckpoint(checkpoint: OwnerCheckpoint): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ v: 1, ...checkpoint }));
}

/** Undefined when there is none or it is of an unknown form: the log says the same, only slower. */
export function decodeCheckpoint(bytes: Uint8Array | undefined): OwnerCheckpoint | undefined {
  if (bytes === undefined) return undefined;
  try {
    return Stored.parse(JSON.parse(new TextDecoder().decode(bytes)));
  } catch {
    return undefined;
  }
}
