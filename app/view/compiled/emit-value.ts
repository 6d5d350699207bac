import { CHECKED, emitSingle, JAVASCRIPT_TYPES } from './emit-single.ts';
import { COUNT, emitBlock, withSlot, type Care, type Frame } from './frame.ts';
import { isComputed, type Node, type ValueNode } from './ir.ts';
import type { Item } from './source.ts';

/** Generates code for a value that an operator or function computes; gives the variable that holds it, null standing for nothing. */
export function emitValue(frame: Frame, node: ValueNode): string {
  const { source } = frame;
  switch (node.op) {
    case 'literal':
      return source.constant(node.value);
    case 'rowIndex':
      return frame.rowIndex;
    case 'equal':
      return emitEqual(frame, node);
    case 'order': {
      const left = emitSingle(frame, node.left);
      const right = emitSingle(frame, node.right);
      const compared =
        node.left.kind === 'number'
          ? `compareNumbers(${left}, ${right}) ${node.operator} 0`
          : `${left} ${node.operator} ${right}`;
      return assign(frame, `${left} === null || ${right} === null ? null : ${compared}`);
    }
    case 'oneOf': {
      const left = emitSingle(frame, node.left);
      const tests = node.values.map((value) => `${left} === ${source.constant(value)}`);
      return assign(frame, `${left} === null ? null : ${tests.join(' || ')}`);
    }
    case 'logic':
      return emitLogic(frame, node);
    case 'not': {
      const value = emitSingle(frame, node.input);
      return assign(frame, `${value} === null ? null : !${value}`);
    }
    case 'exists':
      return emitExists(frame, node);
    case 'all':
      return emitAll(frame, node);
    case 'count':
    case 'hasValue': {
      const count = source.name('n');
      source.write(`let ${count} = 0;`);
      frame.items(frame, node.input, COUNT, () => source.write(`${count}++;`));
      return node.op === 'count' ? count : `(${count} === 1)`;
    }
    case 'join': {
      const text = source.name('t');
      source.write(`let ${text} = null;`);
      frame.items(frame, node.input, { metadata: 'none', checksType: true }, ({ js }) => {
        source.write(`if (typeof ${js} !== 'string') throw DEOPT;`);
        source.write(`${text} = ${text} === null ? ${js} : ${text} + ${source.constant(node.separator)} + ${js};`);
      });
      return text;
    }
    case 'text':
      return emitText(frame, node);
    case 'concat': {
      const left = emitSingle(frame, node.left);
      const right = emitSingle(frame, node.right);
      const joined = node.emptyIsText
        ? `(${left} ?? '') + (${right} ?? '')`
        : `${left} === null || ${right} === null ? null : ${left} + ${right}`;
      const text = assign(frame, joined);
      source.write(`if (${text} !== null && ${text}.length > MAX_TEXT_LENGTH) throw DEOPT;`);
      return text;
    }
  }
}

function assign({ source }: Frame, js: string): string {
  const name = source.name('b');
  source.write(`const ${name} = ${js};`);
  return name;
}

/** A list with several items equals no single one; that is false, not an error. */
function emitEqual(frame: Frame, node: Node & { op: 'equal' }): string {
  const { source } = frame;
  const { left, right } = node;
  // Two elements are equal only if their metadata are, too.
  const care: Care = isComputed(left) || isComputed(right) ? CHECKED : { ...CHECKED, metadata: 'data' };
  const [equal, different] = node.negated ? ['false', 'true'] : ['true', 'false'];
  const compare = (a: string, b: string): string => {
    const isEqual = left.kind === 'number' ? `compareNumbers(${a}, ${b}) === 0` : `${a} === ${b}`;
    return `${isEqual} ? ${equal} : ${different}`;
  };
  if (!left.many) {
    const a = emitSingle(frame, left, care);
    const b = emitSingle(frame, right, care);
    return assign(frame, `${a} === null || ${b} === null ? null : ${compare(a, b)}`);
  }
  const type = JAVASCRIPT_TYPES[left.kind] ?? '';
  const last = source.name('s');
  const count = source.name('n');
  source.write(`let ${last} = null, ${count} = 0;`);
  frame.items(frame, left, care, ({ js }) => {
    source.write(`if (typeof ${js} !== '${type}') throw DEOPT;`);
    source.write(`${last} = ${js}; ${count}++;`);
  });
  const b = emitSingle(frame, right, care);
  return assign(frame, `${count} === 0 || ${b} === null ? null : ${count} > 1 ? ${different} : ${compare(last, b)}`);
}

function emitLogic(frame: Frame, node: Node & { op: 'logic' }): string {
  const a = emitSingle(frame, node.left);
  const b = emitSingle(frame, node.right);
  switch (node.operator) {
    case 'and':
      return assign(frame, `${a} === false || ${b} === false ? false : ${a} === null || ${b} === null ? null : true`);
    case 'or':
      return assign(frame, `${a} === true || ${b} === true ? true : ${a} === null || ${b} === null ? null : false`);
    case 'xor':
      return assign(frame, `${a} === null || ${b} === null ? null : ${a} !== ${b}`);
    case 'implies':
      return assign(frame, `${a} === false || ${b} === true ? true : ${a} === null || ${b} === null ? null : false`);
  }
}

function emitExists(frame: Frame, node: Node & { op: 'exists' }): string {
  const { source } = frame;
  const { input, criterion } = node;
  const found = source.name('e');
  const label = source.name('L');
  const [yes, no] = node.negated ? ['false', 'true'] : ['true', 'false'];
  source.write(`let ${found} = ${no};`);
  emitBlock(source, `${label}:`, () => {
    frame.items(frame, input, COUNT, (item) => {
      const end = (): void => {
        source.write(`${found} = ${yes};`);
        // exists(…) of the interpreter ends at the first item, too.
        if (!input.mayFail) source.write(`break ${label};`);
      };
      if (criterion === undefined) end();
      else if (input.mayFail)
        emitBlock(source, `if (${found} === ${no})`, () => emitIfTrue(frame, node.slot, item, criterion, end));
      else emitIfTrue(frame, node.slot, item, criterion, end);
    });
  });
  return found;
}

function emitIfTrue(frame: Frame, slot: number, item: Item, criterion: Node, then: () => void): void {
  const holds = emitSingle(withSlot(frame, slot, item), criterion);
  emitBlock(frame.source, `if (${holds} === true)`, then);
}

function emitAll(frame: Frame, node: Node & { op: 'all' }): string {
  const { source } = frame;
  const all = source.name('e');
  source.write(`let ${all} = true;`);
  frame.items(frame, node.input, COUNT, (item) => {
    emitBlock(source, `if (${all})`, () => {
      const holds = emitSingle(withSlot(frame, node.slot, item), node.criterion);
      source.write(`if (${holds} !== true) ${all} = false;`);
    });
  });
  return all;
}

function emitText(frame: Frame, node: Node & { op: 'text' }): string {
  const { source } = frame;
  const text = emitSingle(frame, node.input);
  const args = node.args.map((arg) => source.constant(arg));
  const [start, length] = args;
  const call: Record<typeof node.fn, string> = {
    upper: `${text}.toUpperCase()`,
    lower: `${text}.toLowerCase()`,
    trim: `${text}.trim()`,
    length: `${text}.length`,
    startsWith: `${text}.startsWith(${start})`,
    endsWith: `${text}.endsWith(${start})`,
    contains: `${text}.includes(${start})`,
    indexOf: `${text}.indexOf(${start})`,
    lastIndexOf: `${text}.lastIndexOf(${start})`,
    substring: `${start} < 0 || ${start} >= ${text}.length ? null : ${text}.substring(${start}, ${length === undefined ? undefined : `${start} + ${length}`})`,
  };
  return assign(frame, `${text} === null ? null : ${call[node.fn]}`);
}
