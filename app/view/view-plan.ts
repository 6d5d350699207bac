import type { ViewColumn } from './compiled-view.ts';
import { inferTypes, parseExpression, type AstNode } from './expression-types.ts';
import { ANY, isPrimitiveType, isSubtype, type FhirModel, type Types } from './fhir-model.ts';
import type { ColumnDefinition, Iteration, SelectDefinition, ViewDefinition, ViewExpression } from './view-definition.ts';
import type { Report } from './view-problem.ts';

/** A column of the view with its type settled. */
export interface PlannedColumn extends ViewColumn {
  /** Place in the ViewDefinition. */
  readonly at: string;
  readonly path: string;
}

export interface PlannedSelect {
  readonly iteration: Iteration;
  readonly columns: readonly PlannedColumn[];
  readonly selects: readonly PlannedSelect[];
  readonly unionAll: readonly PlannedSelect[];
  /** All columns this select yields, in the order of SQL on FHIR: own columns, nested selects, unionAll. */
  readonly output: readonly PlannedColumn[];
}

/** A view whose expressions were parsed, checked against a model of FHIR and typed. */
export interface ViewPlan {
  readonly definition: ViewDefinition;
  readonly selects: readonly PlannedSelect[];
  readonly columns: readonly PlannedColumn[];
  /** Syntax trees by text. */
  readonly trees: ReadonlyMap<string, AstNode>;
}

/** A column set of more would be a mistake; Delta readers become slow long before. */
const MAX_COLUMNS = 2_000;
/** Rounds until the types reached by `repeat` stay the same; FHIR nests no deeper. */
const MAX_REPEAT_ROUNDS = 20;

interface Planner {
  readonly model: FhirModel;
  readonly report: Report;
  readonly variables: Readonly<Record<string, Types>>;
  readonly trees: Map<string, AstNode>;
}

/** Types every expression of the view; what is wrong is reported, and the plan is then not fit to run. */
export function planView(definition: ViewDefinition, report: Report): ViewPlan {
  const root: Types = [definition.resourceType];
  const planner: Planner = {
    model: definition.model,
    report,
    trees: new Map(),
    variables: {
      ...Object.fromEntries(definition.constants.map(({ name, fhirType }) => [name, [fhirType]])),
      rowIndex: ['integer'],
      resource: root,
      rootResource: root,
      ucum: ['string'],
    },
  };
  for (const condition of definition.where) checkCondition(planner, condition, root);
  const selects = definition.selects.map((select) => planSelect(planner, select, root));
  const columns = selects.flatMap(({ output }) => output);
  if (columns.length === 0) report('select', 'the view has no column');
  if (columns.length > MAX_COLUMNS)
    report('select', `the view has ${columns.length} columns; at most ${MAX_COLUMNS} are allowed`);
  checkNames(columns, report);
  return { definition, selects, columns, trees: planner.trees };
}

function checkCondition(planner: Planner, condition: ViewExpression, root: Types): void {
  const types = inferExpression(planner, condition, root);
  if (types.length > 0 && !types.includes('boolean') && !types.includes(ANY)) {
    planner.report(condition.path, `the condition yields ${describeTypes(types)}; expected boolean`);
  }
}

function planSelect(planner: Planner, select: SelectDefinition, input: Types): PlannedSelect {
  const focus = focusTypes(planner, select.iteration, input);
  const columns = select.columns.map((column) => planColumn(planner, column, focus));
  const selects = select.selects.map((nested) => planSelect(planner, nested, focus));
  const unionAll = select.unionAll.map((branch) => planSelect(planner, branch, focus));
  const union = unionColumns(planner, unionAll, select.path);
  return {
    iteration: select.iteration,
    columns,
    selects,
    unionAll,
    output: [...columns, ...selects.flatMap(({ output }) => output), ...union],
  };
}

function planColumn(planner: Planner, column: ColumnDefinition, focus: Types): PlannedColumn {
  const types = inferExpression(planner, column.expression, focus);
  if (types.length > 0 && types.every((type) => type !== ANY && !isPrimitiveType(type))) {
    planner.report(
      column.expression.path,
      `the column yields ${describeTypes(types)}; expected a primitive type, so name one of its elements`,
    );
  }
  const fhirType = column.declaredType ?? commonType(planner.model, types) ?? 'string';
  const { name, collection, ansiType, expression } = column;
  return { at: column.path, name, fhirType, collection, ansiType, path: expression.text };
}

function focusTypes(planner: Planner, iteration: Iteration, input: Types): Types {
  switch (iteration.kind) {
    case 'none':
      return input;
    case 'forEach':
    case 'forEachOrNull':
      return inferExpression(planner, iteration.expression, input);
    case 'repeat':
      return repeatTypes(planner, iteration.expressions, input);
  }
}

/** Types that following the paths again and again from `input` may reach. */
function repeatTypes(planner: Planner, expressions: readonly ViewExpression[], input: Types): Types {
  const trees = expressions.flatMap((expression) => {
    if (/^\s*\(*\s*\$this\s*\)*\s*$/.test(expression.text)) planner.report(expression.path, '"$this" would be followed for ever');
    const tree = parse(planner, expression);
    return tree === undefined ? [] : [{ tree, path: expression.path }];
  });
  const step = (from: Types, report: Report): Types =>
    trees.flatMap(({ tree, path }) =>
      inferTypes(tree, {
        model: planner.model,
        input: from,
        variables: planner.variables,
        report: (message) => report(path, message),
        lenient: true,
      }),
    );
  let reached: Types = [];
  for (let round = 0; round < MAX_REPEAT_ROUNDS; round++) {
    const next = [...new Set(step([...new Set([...input, ...reached])], ignore))];
    if (next.length === reached.length) break;
    reached = next;
  }
  step([...new Set([...input, ...reached])], planner.report);
  return reached;
}

const ignore: Report = () => undefined;

function inferExpression(planner: Planner, expression: ViewExpression, input: Types): Types {
  const report = (message: string): void => planner.report(expression.path, message);
  const tree = parse(planner, expression);
  return tree === undefined
    ? [ANY]
    : inferTypes(tree, { model: planner.model, input, variables: planner.variables, report, lenient: false });
}

function parse({ trees, report }: Planner, { text, path }: ViewExpression): AstNode | undefined {
  const tree = trees.get(text) ?? parseExpression(text, (message) => report(path, message));
  if (tree !== undefined) trees.set(text, tree);
  return tree;
}

/** Columns of a union: all branches must have the same names in the same order, and types that one table column can hold. */
function unionColumns(planner: Planner, branches: readonly PlannedSelect[], path: string): readonly PlannedColumn[] {
  const [first, ...others] = branches;
  if (first === undefined) return [];
  const names = first.output.map(({ name }) => name).join(', ');
  others.forEach((branch, index) => {
    const at = `${path}.unionAll[${index + 1}]`;
    const found = branch.output.map(({ name }) => name).join(', ');
    if (found !== names)
      planner.report(at, `columns (${found}) differ from those of the first branch (${names}); names and order must be equal`);
    else branch.output.forEach((column, place) => checkUnionColumn(planner, first.output[place] as PlannedColumn, column));
  });
  return first.output;
}

function checkUnionColumn(planner: Planner, first: PlannedColumn, column: PlannedColumn): void {
  if (column.collection !== first.collection)
    planner.report(column.at, `column "${column.name}" is a collection in one branch of the union only`);
  if (typeFamily(column.fhirType) !== typeFamily(first.fhirType)) {
    planner.report(
      column.at,
      `column "${column.name}" is ${column.fhirType} here and ${first.fhirType} in the first branch of the union`,
    );
  }
}

/** Two columns of one table may not differ in case only: Delta compares names without case. */
function checkNames(columns: readonly PlannedColumn[], report: Report): void {
  const seen = new Map<string, string>();
  for (const { name, at } of columns) {
    const earlier = seen.get(name.toLowerCase());
    if (earlier === undefined) seen.set(name.toLowerCase(), at);
    else report(`${at}.name`, `column "${name}" is already yielded by ${earlier}`);
  }
}

/** The one type, or the one that all share (`string` for code and uri); undefined when the types have nothing in common. */
function commonType(model: FhirModel, types: Types): string | undefined {
  const primitives = types.filter(isPrimitiveType);
  const [first] = primitives;
  if (first === undefined) return undefined;
  return primitives.find((type) => primitives.every((other) => isSubtype(model, other, type))) ?? undefined;
}

/** Types that share one table type. */
function typeFamily(type: string): string {
  if (type === 'positiveInt' || type === 'unsignedInt') return 'integer';
  if (type === 'instant') return 'dateTime';
  return ['integer', 'integer64', 'decimal', 'boolean', 'date', 'dateTime', 'base64Binary'].includes(type) ? type : 'string';
}

function describeTypes(types: Types): string {
  return types.slice(0, 5).join(' | ');
}
