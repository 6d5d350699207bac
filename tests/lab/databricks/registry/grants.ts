/** Kinds of objects that privileges are granted on. */
export type ObjectKind = 'METASTORE' | 'CATALOG' | 'SCHEMA' | 'TABLE' | 'EXTERNAL LOCATION' | 'WAREHOUSE';

/** Privileges, spelled with spaces (1.3). `CAN USE` is the permission of warehouses. */
export type Privilege =
  | 'USE CATALOG'
  | 'USE SCHEMA'
  | 'SELECT'
  | 'MODIFY'
  | 'ALL PRIVILEGES'
  | 'CREATE SCHEMA'
  | 'CREATE TABLE'
  | 'EXTERNAL USE SCHEMA'
  | 'EXTERNAL USE LOCATION'
  | 'CREATE EXTERNAL TABLE'
  | 'READ FILES'
  | 'WRITE FILES'
  | 'MANAGE'
  | 'CAN USE';

/** Not part of ALL PRIVILEGES (4.2). */
const NEVER_IMPLIED: ReadonlySet<Privilege> = new Set<Privilege>([
  'EXTERNAL USE SCHEMA',
  'EXTERNAL USE LOCATION',
  'MANAGE',
  'CAN USE',
]);

/** Who may do what on which object. Principals are client ids. */
export class Grants {
  private readonly held = new Map<string, Set<Privilege>>();

  grant(principal: string, kind: ObjectKind, name: string, ...privileges: Privilege[]): void {
    const key = keyOf(principal, kind, name);
    const held = this.held.get(key) ?? new Set<Privilege>();
    for (const privilege of privileges) held.add(privilege);
    this.held.set(key, held);
  }

  /** Without `privileges`: all of them. */
  revoke(principal: string, kind: ObjectKind, name: string, ...privileges: Privilege[]): void {
    const key = keyOf(principal, kind, name);
    if (privileges.length === 0) this.held.delete(key);
    for (const privilege of privileges) this.held.get(key)?.delete(privilege);
  }

  list(principal: string, kind: ObjectKind, name: string): Privilege[] {
    return [...(this.held.get(keyOf(principal, kind, name)) ?? [])].sort();
  }

  /** Who holds a privilege on the object itself. */
  principalsOn(kind: ObjectKind, name: string): string[] {
    const end = keyOf('', kind, name);
    return [...this.held].filter(([key, held]) => key.endsWith(end) && held.size > 0).map(([key]) => key.slice(0, -end.length)).sort();
  }

  /** Granted on the object itself: what Zerobus asks for (1.3). */
  hasDirectly(principal: string, kind: ObjectKind, name: string, privilege: Privilege): boolean {
    return this.held.get(keyOf(principal, kind, name))?.has(privilege) === true;
  }

  /** Granted on the object or on one that holds it, by name or as ALL PRIVILEGES: what Unity Catalog asks for. */
  has(principal: string, kind: ObjectKind, name: string, privilege: Privilege): boolean {
    return holdersOf(kind, name).some(
      ([holderKind, holderName]) =>
        this.hasDirectly(principal, holderKind, holderName, privilege) ||
        (!NEVER_IMPLIED.has(privilege) && this.hasDirectly(principal, holderKind, holderName, 'ALL PRIVILEGES')),
    );
  }
}

/** The object and those that hold it: a table, its schema, its catalog. */
function holdersOf(kind: ObjectKind, name: string): [ObjectKind, string][] {
  const parts = name.split('.');
  if (kind === 'TABLE') return [[kind, name], ...holdersOf('SCHEMA', parts.slice(0, 2).join('.'))];
  if (kind === 'SCHEMA')
    return [
      [kind, name],
      ['CATALOG', parts[0] ?? ''],
    ];
  return [[kind, name]];
}

function keyOf(principal: string, kind: ObjectKind, name: string): string {
  return `${principal}\n${kind}\n${name.toLowerCase()}`;
}
