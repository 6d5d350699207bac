import { isAppError } from '../../errors/app-error.ts';
import type { Clock } from '../../lib/clock.ts';
import type { HttpClient } from '../http-client.ts';
import { makeTokenSource, type Credentials, type TokenSource } from '../token-source.ts';
import {
  makeUnityClient,
  type SecurableKind,
  type UnityCaller,
  type UnityClient,
  type UnityContainer,
  type UnityLocation,
  type UnityMetastore,
  type UnityPrivilege,
} from '../unity-client.ts';
import type { UnityTable } from '../unity-table.ts';
import { zerobusEndpoint } from '../zerobus-client.ts';
import type { DoctorTarget } from './target.ts';

export interface ExaminationParts {
  readonly target: DoctorTarget;
  readonly http: HttpClient;
  readonly clock: Clock;
  /**
   * Runs a statement that reads nothing on the SQL warehouse, which starts it when it stands still. Absent: its state is looked at only.
   * @throws AppError WAREHOUSE_…
   */
  readonly useWarehouse?: (target: DoctorTarget, tokens: TokenSource) => Promise<void>;
}

/** Groups of the principal whose grants are asked for. */
const MAX_GROUPS = 20;

/** What the checks share: the target, the clients, and each answer asked for once. */
export class Examination {
  readonly target: DoctorTarget;
  readonly http: HttpClient;
  readonly clock: Clock;
  readonly useWarehouse: ExaminationParts['useWarehouse'];
  private readonly answers = new Map<string, Promise<unknown>>();

  constructor({ target, http, clock, useWarehouse }: ExaminationParts) {
    this.target = target;
    this.http = http;
    this.clock = clock;
    this.useWarehouse = useWarehouse;
  }

  /** Undefined without a workspace and somebody to act there. */
  findTokens(forZerobus = false): TokenSource | undefined {
    const { workspaceUrl, workspaceId, table } = this.target;
    const credentials = this.findCredentials();
    if (workspaceUrl === undefined || credentials === undefined) return undefined;
    if (forZerobus && (workspaceId === undefined || table === undefined)) return undefined;
    const zerobus = forZerobus ? { zerobus: { workspaceId: workspaceId ?? '', table: table ?? ['', '', ''] } as const } : {};
    return this.keep(`tokens ${forZerobus}`, () =>
      makeTokenSource({ http: this.http, clock: this.clock, workspaceUrl, credentials, ...zerobus }),
    );
  }

  private findCredentials(): Credentials | undefined {
    const { clientId, clientSecret, accessToken } = this.target;
    if (accessToken !== undefined) return { kind: 'access-token', token: accessToken };
    return clientId === undefined || clientSecret === undefined ? undefined : { kind: 'principal', clientId, clientSecret };
  }

  /** Undefined without a workspace and somebody to act there. */
  findUnity(): UnityClient | undefined {
    const tokens = this.findTokens();
    const { workspaceUrl } = this.target;
    if (tokens === undefined || workspaceUrl === undefined) return undefined;
    return this.keep('unity', () => makeUnityClient({ http: this.http, workspaceUrl, tokens }));
  }

  /** Undefined when neither it nor its parts were given. */
  findZerobusEndpoint(): string | undefined {
    const { zerobusEndpoint: given, workspaceUrl, workspaceId, region } = this.target;
    if (given !== undefined) return given;
    if (workspaceUrl === undefined || workspaceId === undefined || region === undefined) return undefined;
    return zerobusEndpoint(workspaceUrl, workspaceId, region);
  }

  /** Each of these is asked for once. @throws AppError */
  getTable(unity: UnityClient, name: string): Promise<UnityTable> {
    return this.keep(`table ${name}`, () => unity.getTable(name));
  }

  getCatalog(unity: UnityClient, name: string): Promise<UnityContainer> {
    return this.keep(`catalog ${name}`, () => unity.getCatalog(name));
  }

  getSchema(unity: UnityClient, name: string): Promise<UnityContainer> {
    return this.keep(`schema ${name}`, () => unity.getSchema(name));
  }

  getMetastore(unity: UnityClient): Promise<UnityMetastore> {
    return this.keep('metastore', () => unity.getMetastore());
  }

  listLocations(unity: UnityClient): Promise<readonly UnityLocation[]> {
    return this.keep('locations', () => unity.listExternalLocations());
  }

  getCaller(unity: UnityClient): Promise<UnityCaller> {
    return this.keep('caller', () => unity.getCaller());
  }

  /** Granted to the principal itself or to one of its groups, as far as that is told; undefined when nothing tells who it is. @throws AppError */
  listPrivileges(unity: UnityClient, kind: SecurableKind, name: string): Promise<readonly UnityPrivilege[] | undefined> {
    return this.keep(`privileges ${kind} ${name}`, async () => {
      const caller = await this.getCaller(unity).catch(() => undefined);
      const principal = this.target.clientId ?? caller?.principal;
      if (principal === undefined) return undefined;
      const own = await unity.listPrivileges(kind, name, principal);
      const groups = (caller?.groups ?? []).slice(0, MAX_GROUPS);
      const byGroup = await Promise.all(groups.map((group) => unity.listPrivileges(kind, name, group).catch(() => [])));
      return [...own, ...byGroup.flat().map(({ privilege }) => ({ privilege, isDirect: false }))];
    });
  }

  private keep<T>(key: string, make: () => T): T {
    if (!this.answers.has(key)) this.answers.set(key, make() as Promise<unknown>);
    return this.answers.get(key) as T;
  }
}

/** What `call` gives, or undefined when the workspace does not have the call. @throws AppError */
export async function unlessAbsent<T>(call: Promise<T>): Promise<T | undefined> {
  return call.catch((error: unknown) => {
    if (isAppError(error, 'UNITY_CALL_ABSENT')) return undefined;
    throw error;
  });
}

/** True for errors that say nothing of the object that was asked for: it may be tried again. */
export function isPassingFault(error: unknown): boolean {
  return isAppError(error, 'DATABRICKS_THROTTLED', 'DATABRICKS_UNAVAILABLE', 'DATABRICKS_ANSWER_LOST');
}
