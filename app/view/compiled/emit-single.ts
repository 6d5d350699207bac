import type { Care, Frame } from './frame.ts';
import { isComputed, isValue, type Node } from './ir.ts';

/** For a single value: its type is tested. */
export const CHECKED: Care = { metadata: 'count', checksType: true };

/** What `typeof` gives for the items of an expression; undefined where it may give several things. */
export const JAVASCRIPT_TYPES: Partial<Record<Node['kind'], string>> = {
  text: 'string',
  temporal: 'string',
  number: 'number',
  boolean: 'boolean',
};

/** Generates code for the only item of an expression; null when there is none. Several, or one of another type, break an assumption. */
export function emitSingle(frame: Frame, node: Node, care: Care = CHECKED): string {
  const { source } = frame;
  if (isValue(node)) return frame.value(frame, node);
  const single = source.name('s');
  const type = JAVASCRIPT_TYPES[node.kind];
  if (type === undefined) throw new Error('a single value of no known type');
  source.write(`let ${single} = null;`);
  frame.items(frame, node, care, ({ js }) => {
    if (node.many) source.write(`if (${single} !== null) throw DEOPT;`);
    if (!isComputed(node)) source.write(`if (typeof ${js} !== '${type}') throw DEOPT;`);
    source.write(`${single} = ${js};`);
  });
  return single;
}
