import type { UserInvocationTable } from 'fhirpath';
import { AppError } from '../errors/app-error.ts';
import type { FlatValue, Resource } from './compiled-view.ts';
import { compileExpression, NOT_PRIMITIVE, readPrimitive, type Budget, type Expression } from './expression.ts';
import type { FhirModel } from './fhir-model.ts';
import { ExpressionFailure, makeFunctions, type RootScope } from './functions.ts';
import { goneTooFar, MAX_REPEAT_DEPTH, maxRows, type Bounds } from './limits.ts';
import type { ViewExpression } from './view-definition.ts';
import type { PlannedColumn, PlannedSelect, ViewPlan } from './view-plan.ts';

/** The rows of one resource of the view's type. */
export type EvaluateView = (resource: Resource) => readonly (readonly FlatValue[])[];

type Rows = readonly (readonly FlatValue[])[];

/** What an expression is evaluated on. */
interface Focus {
  readonly items: readonly unknown[];
  readonly rowIndex: number;
}

interface Session {
  readonly view: string;
  readonly model: FhirModel;
  readonly functions: UserInvocationTable;
  readonly budget: Budget;
  readonly maxRows: number;
  /** Seen by all expressions; `resource` and `rowIndex` change, and are cleared after each resource. */
  readonly variables: Record<string, unknown>;
}

/** A view that fhirpath.js interprets, and the parts of it that compiled code calls for single expressions. */
export interface Interpreter {
  readonly evaluate: EvaluateView;
  /** Makes the resource known to the parts, and gives its node. To be followed by `end`. */
  readonly begin: (resource: Resource) => unknown;
  readonly end: () => void;
  readonly parts: InterpreterParts;
  /** More rows from one resource are an error, which `tooManyRows` makes. */
  readonly maxRows: number;
  readonly tooManyRows: () => Error;
}

/** Each makes a function of a node and %rowIndex, to be called between `begin` and `end`. */
export interface InterpreterParts {
  readonly condition: (expression: ViewExpression) => (node: unknown, rowIndex: number) => boolean;
  readonly column: (column: PlannedColumn) => (node: unknown, rowIndex: number) => FlatValue;
  readonly items: (expression: ViewExpression) => (node: unknown, rowIndex: number) => readonly unknown[];
  readonly repeated: (expressions: readonly ViewExpression[]) => (node: unknown, rowIndex: number) => readonly unknown[];
  /** Makes the function that turns an element of the resource, found at this path of the model, into a node. */
  readonly toNode: (type: { readonly path: string }) => (element: unknown) => unknown;
}

/**
 * Makes the interpreter of a view: the algorithm of SQL on FHIR v2 over fhirpath.js.
 * Nothing of a resource is changed, and nothing of it is kept after the call.
 */
export function makeInterpreter(plan: ViewPlan, createdAtUrls: readonly string[], bounds: Bounds): Interpreter {
  const scope: RootScope = { root: undefined };
  const { name, model, resourceType, constants } = plan.definition;
  const variables: Record<string, unknown> = Object.fromEntries(constants.map((constant) => [constant.name, constant.value]));
  const session: Session = {
    view: name,
    model,
    functions: makeFunctions(scope, model, createdAtUrls, bounds),
    budget: { steps: 0, bounds },
    maxRows: maxRows(bounds, plan.columns.length),
    variables,
  };
  const toNode = compileExpression('$this', session.model, session.functions, session.budget);

  const begin = (resource: Resource): unknown => {
    session.budget.steps = 0;
    // One node for all expressions: fhirpath.js would wrap the resource anew for each.
    const items = toNode([resource], {});
    scope.root = items[0];
    variables['resource'] = items;
    variables['rootResource'] = items;
    return items[0];
  };
  const end = (): void => {
    scope.root = undefined;
    variables['resource'] = undefined;
    variables['rootResource'] = undefined;
  };
  const parts = makeParts(session);
  const conditions = plan.definition.where.map((condition) => makeCondition(session, condition));
  const selects = makeProduct(
    session,
    plan.selects.map((select) => makeSelect(session, select)),
  );
  return {
    begin,
    end,
    parts,
    maxRows: session.maxRows,
    tooManyRows: () => tooManyRows(session),
    evaluate: (resource) => {
      if (resource.resourceType !== resourceType) return [];
      try {
        const focus: Focus = { items: [begin(resource)], rowIndex: 0 };
        return conditions.every((holds) => holds(focus)) ? selects(focus) : [];
      } finally {
        end();
      }
    },
  };
}

function makeParts(session: Session): InterpreterParts {
  const onNode =
    <T>(run: (focus: Focus) => T) =>
    (node: unknown, rowIndex: number): T =>
      run({ items: [node], rowIndex });
  return {
    condition: (expression) => onNode(makeCondition(session, expression)),
    column: (column) => onNode(makeColumn(session, column)),
    items: (expression) => onNode(bind(session, expression.text, expression.path)),
    repeated: (expressions) => onNode(makeRepeat(session, expressions)),
    toNode: ({ path }) => {
      const run = compileExpression('$this', session.model, session.functions, session.budget, path);
      return (element) => run([element], {})[0];
    },
  };
}

type Producer = (focus: Focus) => Rows;

function makeSelect(session: Session, select: PlannedSelect): Producer {
  const parts: Producer[] = [];
  if (select.columns.length > 0) parts.push(makeColumns(session, select.columns));
  parts.push(...select.selects.map((nested) => makeSelect(session, nested)));
  if (select.unionAll.length > 0) parts.push(makeUnion(session, select.unionAll));
  const rows = makeProduct(session, parts);

  const { iteration } = select;
  switch (iteration.kind) {
    case 'none':
      return rows;
    case 'repeat':
      return overEach(session, makeRepeat(session, iteration.expressions), rows, []);
    case 'forEach':
    case 'forEachOrNull': {
      const foci = bind(session, iteration.expression.text, iteration.expression.path);
      return overEach(session, foci, rows, iteration.kind === 'forEach' ? [] : [select.output.map(nullValue)]);
    }
  }
}

/** In the row that forEachOrNull yields for nothing, %rowIndex is 0 and all else is null. */
export function nullValue(column: PlannedColumn): FlatValue {
  return column.path.trim() === '%rowIndex' ? 0 : null;
}

/** The rows of each item, or `none` when there is no item. */
function overEach(session: Session, foci: (focus: Focus) => readonly unknown[], rows: Producer, none: Rows): Producer {
  return (focus) => {
    const items = foci(focus);
    if (items.length === 0) return none;
    const result: (readonly FlatValue[])[] = [];
    items.forEach((item, rowIndex) => {
      for (const row of rows({ items: [item], rowIndex })) result.push(row);
      checkRows(session, result.length);
    });
    return result;
  };
}

/** All combinations of the rows of the parts; the first part varies slowest. */
function makeProduct(session: Session, parts: readonly Producer[]): Producer {
  return (focus) => {
    let result: Rows = [[]];
    for (const part of parts) {
      const rows = part(focus);
      checkRows(session, result.length * rows.length);
      result = result.flatMap((left) => rows.map((right) => [...left, ...right]));
      if (result.length === 0) break;
    }
    return result;
  };
}

function makeUnion(session: Session, branches: readonly PlannedSelect[]): Producer {
  const producers = branches.map((branch) => makeSelect(session, branch));
  return (focus) => producers.flatMap((produce) => produce(focus));
}

function makeColumns(session: Session, columns: readonly PlannedColumn[]): Producer {
  const readers = columns.map((column) => makeColumn(session, column));
  return (focus) => [readers.map((read) => read(focus))];
}

function makeColumn(session: Session, column: PlannedColumn): (focus: Focus) => FlatValue {
  const place = `column "${column.name}" (${column.path})`;
  const evaluate = bind(session, column.path, place);
  return (focus) => readColumn(session, column, place, evaluate(focus));
}

function readColumn(session: Session, column: PlannedColumn, place: string, items: readonly unknown[]): FlatValue {
  const values: (string | number | boolean)[] = [];
  for (const item of items) {
    const value = readPrimitive(item);
    if (value === NOT_PRIMITIVE) throw evaluationFailed(session, place, 'it gave an object; expected a primitive value');
    if (value !== undefined) values.push(value);
  }
  if (column.collection) return values;
  if (values.length <= 1) return values[0] ?? null;
  throw evaluationFailed(session, place, `it gave ${values.length} values; set "collection" to true, or choose one with first()`);
}

/** Items reached by following the paths again and again, parents before their children. */
function makeRepeat(session: Session, expressions: readonly ViewExpression[]): (focus: Focus) => readonly unknown[] {
  const steps = expressions.map(({ text, path }) => bind(session, text, path));
  const [place] = expressions.map(({ path }) => path);
  const follow = (focus: Focus, depth: number, result: unknown[]): unknown[] => {
    if (depth > MAX_REPEAT_DEPTH)
      throw evaluationFailed(session, place ?? 'repeat', `it went more than ${MAX_REPEAT_DEPTH} levels deep`);
    for (const step of steps) {
      for (const item of step(focus)) {
        result.push(item);
        checkRows(session, result.length);
        follow({ items: [item], rowIndex: focus.rowIndex }, depth + 1, result);
      }
    }
    return result;
  };
  return (focus) => follow(focus, 1, []);
}

function makeCondition(session: Session, condition: ViewExpression): (focus: Focus) => boolean {
  const evaluate = bind(session, condition.text, condition.path);
  return (focus) => {
    const values = evaluate(focus)
      .map(readPrimitive)
      .filter((value) => value !== undefined);
    if (values.length === 0) return false;
    if (values.length === 1 && typeof values[0] === 'boolean') return values[0];
    throw evaluationFailed(session, condition.path, 'the condition gave something else than one boolean');
  };
}

/** Compiles an expression and names it in what it throws. */
function bind(session: Session, text: string, place: string): (focus: Focus) => readonly unknown[] {
  const run: Expression = compileExpression(text, session.model, session.functions, session.budget);
  return (focus) => {
    session.variables['rowIndex'] = focus.rowIndex;
    try {
      return run(focus.items, session.variables);
    } catch (error) {
      throw error instanceof ExpressionFailure ? evaluationFailed(session, place, error.message) : error;
    }
  };
}

function checkRows(session: Session, count: number): void {
  if (count > session.maxRows) throw tooManyRows(session);
}

function tooManyRows(session: Session): Error {
  return goneTooFar(session.budget.bounds, () =>
    evaluationFailed(session, 'rows', `one resource gave more than ${session.maxRows} rows`),
  );
}

function evaluationFailed(session: Session, place: string, reason: string): AppError {
  return new AppError('VIEW_EVALUATION_FAILED', `view ${session.view}, ${place}: ${reason}`, {
    facts: { view: session.view, place },
  });
}
