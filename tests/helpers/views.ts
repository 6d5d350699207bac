import { compileView, type CompileOptions } from '../../app/view/compile-view.ts';
import type { FlatValue, Resource } from '../../app/view/compiled-view.ts';

/** A view of one select, as JSON. */
export function aView(select: object, rest: object = {}): object {
  return { resourceType: 'ViewDefinition', name: 'test_view', status: 'active', resource: 'Patient', select: [select], ...rest };
}

/** A view on Patient with one column "x". */
export function aColumn(path: string, column: object = {}, rest: object = {}): object {
  return aView({ column: [{ name: 'x', path, ...column }] }, rest);
}

/** Values of the only column over all rows of one resource. */
export function evaluateColumn(path: string, resource: Resource, options?: CompileOptions): readonly (FlatValue | undefined)[] {
  return compileView(aColumn(path, {}, { resource: resource.resourceType }), options)
    .evaluate(resource)
    .map(([value]) => value);
}

/** Freezes a value and everything in it. */
export function freezeDeeply<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const item of Object.values(value)) freezeDeeply(item);
  }
  return value;
}

/** The AppError code and message that a call throws; fails when it throws nothing. */
export function errorOf(call: () => unknown): { readonly code: unknown; readonly message: string } {
  try {
    call();
  } catch (error) {
    const { code, message } = error as { code?: unknown; message: string };
    return { code, message };
  }
  throw new Error('expected an error');
}

/** S0's sample view. */
export const PATIENT_FLAT = {
  resourceType: 'ViewDefinition',
  id: 'patient_flat',
  name: 'patient_flat',
  resource: 'Patient',
  status: 'active',
  select: [
    {
      column: [
        { name: 'id', path: 'id' },
        { name: 'gender', path: 'gender' },
        { name: 'birth_date', path: 'birthDate' },
      ],
    },
    {
      forEach: "name.where(use = 'official').first()",
      column: [
        { name: 'family_name', path: 'family' },
        { name: 'given_name', path: "given.join(' ')" },
      ],
    },
  ],
};
