import { emitVariable, type Frame } from './frame.ts';
import { beginningsOf, keyOf } from './ir.ts';
import type { LoweredColumn } from './lower-view.ts';

/** Evaluates what several columns begin with, and gives the frame in which they find it. */
export function shareBeginnings(frame: Frame, columns: readonly LoweredColumn[]): Frame {
  const chains = columns.map(({ value }) =>
    'node' in value ? beginningsOf(value.node).map((node) => ({ node, key: keyOf(node) })) : [],
  );
  const counts = new Map<string, number>();
  for (const { key } of chains.flat()) counts.set(key, (counts.get(key) ?? 0) + 1);
  const shared = new Map(frame.shared);
  for (const chain of chains) {
    chain.forEach(({ node, key }, index) => {
      const count = counts.get(key) ?? 0;
      // One that only stands before a longer one is no gain.
      const isOnlyBefore = counts.get(chain[index + 1]?.key ?? '') === count;
      if (count > 1 && !isOnlyBefore && !shared.has(key)) shared.set(key, emitVariable({ ...frame, shared }, node));
    });
  }
  return { ...frame, shared };
}
