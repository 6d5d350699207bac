import fhirpath from 'fhirpath';
import { arithmeticType, findSignature, type ArgumentKind } from './function-signatures.ts';
import { stringOf, unquote } from './literals.ts';
import {
  ANY,
  elementTypes,
  isResourceType,
  isSubtype,
  readTypeName,
  suggestChoice,
  type FhirModel,
  type Types,
} from './fhir-model.ts';
import { findRegexProblem } from './regex-functions.ts';

/** A node of the syntax tree of fhirpath.js 5.2.0. */
export interface AstNode {
  readonly type: string;
  readonly text?: string;
  readonly delimitedText?: string;
  /** Set on the first name of a path, where a type name may stand. */
  readonly atRoot?: number;
  readonly start?: { readonly line: number; readonly column: number };
  readonly children?: readonly AstNode[];
}

/** What an expression is checked against. */
export interface TypingScope {
  readonly model: FhirModel;
  /** Types of the thing the expression is evaluated on. */
  readonly input: Types;
  /** Types of `%name`, without the percent sign. */
  readonly variables: Readonly<Record<string, Types>>;
  /** Called for each problem; the message says where in the expression it is. */
  readonly report: (message: string) => void;
  /** True in `repeat`, whose paths need not exist on every level: an unknown element yields nothing there. */
  readonly lenient: boolean;
}

/** Parses an expression, or reports the first syntax error with its line and column (both from 1). */
export function parseExpression(text: string, report: (message: string) => void): AstNode | undefined {
  try {
    return fhirpath.parse(text) as AstNode;
  } catch (error) {
    report(`${quote(text)} is not FHIRPath: ${describeSyntaxError(error)}`);
    return undefined;
  }
}

/** fhirpath.js lists "line: 1; column: 5; message: …" for the lexer and the parser; other errors have no place in them. */
function describeSyntaxError(error: unknown): string {
  if (error instanceof RangeError) return 'it is nested too deeply';
  const found = /line: (\d+); column: (\d+); message: ([^\n]*)/.exec(error instanceof Error ? error.message : '');
  if (found === null) return 'a name or function is missing after a dot or an operator';
  const [, line, column, message] = found;
  return `line ${line}, column ${Number(column) + 1}: ${(message ?? '').replace(/ expecting \{.*$/, '')}`;
}

/**
 * Types that an expression may yield. Walks the whole tree and reports what can never work or must not run: unknown elements, functions,
 * constants and types, wrong numbers of arguments, and names that would reach into JavaScript objects.
 */
export function inferTypes(node: AstNode, scope: TypingScope): Types {
  try {
    return unique(typeOf(node, scope.input, scope));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    scope.report('the expression is nested too deeply');
    return [ANY];
  }
}

/** `input`: what stands before the dot; `scope.input`: `$this`. */
function typeOf(node: AstNode, input: Types, scope: TypingScope): Types {
  const children = node.children ?? [];
  const first = children[0];
  const onThis = (child: AstNode | undefined): Types => (child === undefined ? [] : typeOf(child, scope.input, scope));
  switch (node.type) {
    case 'EntireExpression':
    case 'TermExpression':
    case 'InvocationTerm':
    case 'ParenthesizedTerm':
      return first === undefined ? [] : typeOf(first, input, scope);
    case 'LiteralTerm':
      return literalType(first?.type ?? '', node.text ?? '');
    case 'InvocationExpression':
      return children.reduce((types, child) => typeOf(child, unique(types), scope), input);
    case 'MemberInvocation':
      return memberTypes(node, input, scope);
    case 'FunctionInvocation':
      return callType(node, input, scope);
    case 'IndexerExpression':
      onThis(children[1]);
      return first === undefined ? [] : typeOf(first, input, scope);
    case 'ThisInvocation':
      return scope.input;
    case 'IndexInvocation':
      return ['integer'];
    case 'ExternalConstantTerm':
      return variableTypes(node, scope);
    case 'AdditiveExpression':
    case 'MultiplicativeExpression':
      return arithmeticType(node.text ?? '', onThis(first), onThis(children[1]));
    case 'EqualityExpression':
    case 'InequalityExpression':
    case 'AndExpression':
    case 'OrExpression':
    case 'XorExpression':
    case 'ImpliesExpression':
    case 'MembershipExpression':
      children.forEach(onThis);
      return ['boolean'];
    case 'UnionExpression':
      return children.flatMap(onThis);
    case 'PolarityExpression':
      return onThis(first);
    case 'TypeExpression': {
      onThis(first);
      const named = namedType(children[1], scope);
      return node.text === 'is' ? ['boolean'] : named;
    }
    default:
      scope.report(`${node.type} is not allowed in a view${place(node)}`);
      return [ANY];
  }
}

function literalType(kind: string, text: string): Types {
  switch (kind) {
    case 'BooleanLiteral':
      return ['boolean'];
    case 'NumberLiteral':
      return [text.includes('.') ? 'decimal' : 'integer'];
    case 'LongNumberLiteral':
      return ['integer64'];
    case 'DateLiteral':
      return ['date'];
    case 'DateTimeLiteral':
      return ['dateTime'];
    case 'TimeLiteral':
      return ['time'];
    case 'QuantityLiteral':
      return ['Quantity'];
    case 'NullLiteral':
      return [];
    default:
      return ['string'];
  }
}

function memberTypes(node: AstNode, input: Types, scope: TypingScope): Types {
  const name = unquote(node.text ?? '');
  if (isHostile(name)) {
    scope.report(`${quote(name)} is not the name of a FHIR element${place(node)}`);
    return [ANY];
  }
  if (node.atRoot !== undefined && /^[A-Z]/.test(name)) return typePrefix(name, node, input, scope);
  const found = input.map((type) => elementTypes(scope.model, type, name));
  const types = found.flatMap((each) => each ?? []);
  if (input.length > 0 && !scope.lenient && found.every((each) => each === undefined)) {
    const hint = input.map((type) => suggestChoice(scope.model, type, name)).find((each) => each !== undefined);
    scope.report(
      `${input.slice(0, 5).join(' | ')} has no element ${quote(name)}${hint === undefined ? '' : `; write ${hint}`}${place(node)}`,
    );
    return [ANY];
  }
  return types;
}

/** `Patient.name`: a type name before the path keeps what has that type. */
function typePrefix(name: string, node: AstNode, input: Types, scope: TypingScope): Types {
  const kept = input.filter((type) => type === ANY || isSubtype(scope.model, type, name));
  if (kept.length === 0 && input.length > 0 && !scope.lenient) {
    scope.report(`the path begins with ${quote(name)} but stands on ${input.slice(0, 5).join(' | ')}${place(node)}`);
    return [ANY];
  }
  return kept.map((type) => (type === ANY ? name : type));
}

function variableTypes(node: AstNode, scope: TypingScope): Types {
  const name = unquote(node.delimitedText ?? node.text ?? '');
  if (Object.hasOwn(scope.variables, name)) return scope.variables[name] as Types;
  const known = Object.keys(scope.variables).map((each) => `%${each}`);
  scope.report(`constant %${name} is not defined; defined are ${known.join(', ')}${place(node)}`);
  return [ANY];
}

function callType(node: AstNode, input: Types, scope: TypingScope): Types {
  const call = node.children?.[0];
  const name = unquote(node.text ?? call?.text ?? '');
  const given = call?.children?.find((child) => child.type === 'ParamList')?.children ?? [];
  const signature = findSignature(name);
  if ('refused' in signature) {
    scope.report(`${signature.refused}${place(node)}`);
    return [ANY];
  }
  if (given.length < signature.required || given.length > signature.args.length) {
    const expected = [...new Set([signature.required, signature.args.length])].join(' to ');
    scope.report(`${name}() has ${given.length} arguments; expected ${expected}${place(node)}`);
    return [ANY];
  }
  if (name === 'getResourceKey' && input.length > 0 && !input.some((type) => type === ANY || isResourceType(scope.model, type))) {
    scope.report(`getResourceKey() stands on ${input.slice(0, 5).join(' | ')}; it needs a resource${place(node)}`);
  }
  const args = given.map((argument, index) => argumentTypes(argument, signature.args[index] ?? 'value', input, scope));
  if (name === 'getReferenceKey' && args[0]?.some((type) => type !== ANY && !isResourceType(scope.model, type)) === true) {
    scope.report(`getReferenceKey() takes a resource type without quotes, for example getReferenceKey(Patient)${place(node)}`);
  }
  return signature.result(input, args);
}

function argumentTypes(node: AstNode, kind: ArgumentKind, input: Types, scope: TypingScope): Types {
  switch (kind) {
    case 'criteria':
    case 'projection':
      return typeOf(node, input, { ...scope, input });
    case 'value':
      return typeOf(node, scope.input, scope);
    case 'type':
      return namedType(node, scope);
    case 'matches':
    case 'matchesFull':
    case 'replaceMatches': {
      const pattern = stringOf(node);
      const problem = pattern === undefined ? 'a string literal was expected' : findRegexProblem(pattern, kind);
      if (problem !== undefined) scope.report(`the regular expression is refused: ${problem}${place(node)}`);
      return ['string'];
    }
  }
}

function namedType(node: AstNode | undefined, scope: TypingScope): Types {
  const text = node?.text ?? '';
  const type = readTypeName(scope.model, text);
  if (type !== undefined) return [type];
  scope.report(`${quote(text)} is not a FHIR ${scope.model.release} type (type names stand without quotes)`);
  return [ANY];
}

/** fhirpath.js reads names as plain properties, so `constructor` or `__proto__` would yield parts of JavaScript. */
function isHostile(name: string): boolean {
  return name in Object.prototype || !/^[A-Za-z][A-Za-z0-9]*$/.test(name);
}

function place(node: AstNode): string {
  return node.start === undefined ? '' : ` (line ${node.start.line}, column ${node.start.column})`;
}

function quote(text: string): string {
  return JSON.stringify(text.length > 200 ? `${text.slice(0, 200)}…` : text);
}

function unique(types: Types): Types {
  return types.length < 2 ? types : [...new Set(types)];
}
