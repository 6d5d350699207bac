import { isAppError } from '../../../errors/app-error.ts';
import type { SecurableKind } from '../../unity-client.ts';
import { makeGrantStatement, type Grant } from '../../setup/required-grants.ts';
import { missing, ok, skipped, unknown, type Check, type Finding } from '../check.ts';
import type { Examination } from '../examination.ts';
import type { DoctorTarget } from '../target.ts';

const KINDS: Readonly<Record<Grant['kind'], SecurableKind>> = {
  CATALOG: 'catalog',
  SCHEMA: 'schema',
  TABLE: 'table',
  'EXTERNAL LOCATION': 'external_location',
};
/** Never part of ALL PRIVILEGES (contract §4.2). */
const NEVER_IMPLIED: readonly string[] = ['EXTERNAL USE SCHEMA'];

export interface PrivilegeCheck {
  readonly id: string;
  readonly needs: readonly string[];
  readonly privilege: string;
  readonly kind: Exclude<Grant['kind'], 'EXTERNAL LOCATION'>;
  /** The object, or undefined when the check does not apply. */
  readonly objectOf: (target: DoctorTarget) => readonly string[] | undefined;
  /** Zerobus counts what is granted to the principal on the object itself only (contract §1.3). */
  readonly forZerobus?: boolean;
}

/** A check that the service principal has one privilege on one object. */
export function makePrivilegeCheck({ id, needs, privilege, kind, objectOf, forZerobus = false }: PrivilegeCheck): Check {
  const cureFor = ({ target }: Examination): readonly string[] => {
    const object = objectOf(target);
    return object === undefined ? [] : [makeGrantStatement({ privileges: [privilege], kind, object }, target.clientId ?? '')];
  };
  return {
    id,
    title: `${privilege} on the ${id.startsWith('staging') ? 'staging ' : ''}${kind.toLowerCase()}`,
    needs,
    cure: cureFor,
    async run(examination) {
      const object = objectOf(examination.target);
      if (object === undefined || examination.findUnity() === undefined) return skipped('not used');
      const held = await findPrivilege(examination, kind, object, privilege);
      const name = object.join('.');
      if (held === 'hidden') return hiddenPrivilege(examination, kind, name, privilege, cureFor(examination));
      if (held === 'none') return missing(`not granted on ${name}`, `${privilege} on ${kind} ${name}`, cureFor(examination));
      if (held === 'inherited' && forZerobus && examination.target.mode === 'managed-zerobus')
        return unknown(`only inherited on ${name}; Zerobus may count grants on the object itself only`, cureFor(examination));
      return ok(`granted on ${name}${held === 'inherited' ? ' by inheritance' : ''}`);
    },
  };
}

/** `hidden`: the workspace does not tell the principal its grants. @throws AppError UNITY_NOT_FOUND and others */
export async function findPrivilege(
  examination: Examination,
  kind: Grant['kind'],
  object: readonly string[],
  privilege: string,
): Promise<'direct' | 'inherited' | 'none' | 'hidden'> {
  const unity = examination.findUnity();
  if (unity === undefined) return 'hidden';
  try {
    const held = await examination.listPrivileges(unity, KINDS[kind], object.join('.'));
    if (held === undefined) return 'hidden';
    const found = held.filter((each) => each.privilege === privilege);
    if (found.some((each) => each.isDirect)) return 'direct';
    const isImplied = !NEVER_IMPLIED.includes(privilege) && held.some((each) => each.privilege === 'ALL PRIVILEGES');
    return found.length > 0 || isImplied ? 'inherited' : 'none';
  } catch (error) {
    if (isAppError(error, 'UNITY_PRIVILEGE_MISSING', 'UNITY_CALL_ABSENT', 'DATABRICKS_REQUEST_REFUSED')) return 'hidden';
    throw error;
  }
}

/** What can be learnt without the list of grants: who may not even see an object has no privilege on it. @throws AppError when it cannot be seen */
async function hiddenPrivilege(
  examination: Examination,
  kind: PrivilegeCheck['kind'],
  name: string,
  privilege: string,
  cure: readonly string[],
): Promise<Finding> {
  const unity = examination.findUnity();
  if (unity !== undefined) {
    if (kind === 'CATALOG') await examination.getCatalog(unity, name);
    if (kind === 'SCHEMA') await examination.getSchema(unity, name);
    if (kind === 'TABLE') await examination.getTable(unity, name);
  }
  return unknown(`${name} may be seen; whether ${privilege} is granted is not told to the service principal`, cure);
}
