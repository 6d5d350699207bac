/** A service principal with an OAuth secret. */
export interface Principal {
  readonly clientId: string;
  secret: string;
  /** Scopes that the secret may ask for (1.1). */
  scopes: readonly string[];
  isDisabled: boolean;
}

/** Who may ask for tokens. */
export class Principals {
  private readonly known = new Map<string, Principal>();
  private readonly personal = new Map<string, string>();

  add(clientId: string, secret: string, scopes: readonly string[] = ['all-apis']): Principal {
    const principal: Principal = { clientId, secret, scopes, isDisabled: false };
    this.known.set(clientId, principal);
    return principal;
  }

  get(clientId: string): Principal | undefined {
    return this.known.get(clientId);
  }

  /** A personal access token (1.5): SQL warehouses and Unity Catalog take it, Zerobus does not. */
  addPersonalToken(token: string, principal: string): void {
    if (!token.startsWith('dapi')) throw new Error('personal access tokens begin with dapi');
    this.personal.set(token, principal);
  }

  ownerOfPersonalToken(token: string): string | undefined {
    return this.personal.get(token);
  }
}
