import { afterEach, describe, expect, it } from '@jest/globals';
import { eventually } from '../../../helpers/eventually.ts';
import type { DatabricksLab } from '../../../lab/databricks/lab.ts';
import type { LabSwitches } from '../../../lab/databricks/options.ts';
import {
  askToken,
  CLIENT,
  insert,
  makeDetails,
  makeScopedForm,
  mintPlain,
  mintScoped,
  PLAIN_FORM,
  send,
  startLab,
  TABLE,
} from './client.ts';

/** Section 1 of the contract: OAuth for machines. */

let lab: DatabricksLab;
afterEach(() => lab.close());

const start = async (switches: Partial<LabSwitches> = {}, tokenLifetimeMs?: number): Promise<void> => {
  lab = await startLab([['id', 'STRING']], switches, tokenLifetimeMs === undefined ? {} : { tokenLifetimeMs });
};

describe('1.1 plain tokens', () => {
  it('are bearer tokens for an hour, each another one, with exp in the form of a JWT', async () => {
    await start();
    const [first, second] = [await askToken(lab, PLAIN_FORM), await askToken(lab, PLAIN_FORM)];
    expect(first.status).toBe(200);
    expect(first.json).toEqual({ access_token: expect.any(String), token_type: 'Bearer', expires_in: 3600 });
    expect(first.json['access_token']).not.toBe(second.json['access_token']);
    const [, claims = ''] = (first.json['access_token'] as string).split('.');
    const { exp } = JSON.parse(Buffer.from(claims, 'base64url').toString()) as { exp: number };
    expect(Math.abs(exp - Date.now() / 1000 - 3600)).toBeLessThan(60);
  });

  it('scope=sql needs a secret with that scope, else 403 access_denied', async () => {
    await start();
    const refused = await askToken(lab, { ...PLAIN_FORM, scope: 'sql' });
    expect([refused.status, refused.json['error']]).toEqual([403, 'access_denied']);
    expect(refused.json['error_description']).toContain(`Scopes 'sql' are not assigned to the client ${CLIENT.id}`);
    lab.principals.add('sql-only', 's', ['sql']);
    expect((await askToken(lab, { ...PLAIN_FORM, scope: 'sql' }, { id: 'sql-only', secret: 's' })).status).toBe(200);
    expect((await askToken(lab, PLAIN_FORM, { id: 'sql-only', secret: 's' })).status).toBe(403);
  });

  it('may tell their scope', async () => {
    await start({ tokenTellsScope: true });
    expect((await askToken(lab, PLAIN_FORM)).json['scope']).toBe('all-apis');
  });
});

describe('1.2 errors', () => {
  it.each([
    ['a wrong secret', { ...CLIENT, secret: 'wrong' }],
    ['an unknown client', { ...CLIENT, id: 'nobody' }],
  ])('%s: 401 invalid_client', async (_, client) => {
    await start();
    const answer = await askToken(lab, PLAIN_FORM, client);
    expect([answer.status, answer.json['error'], answer.json['error_description']]).toEqual([
      401,
      'invalid_client',
      'Client authentication failed',
    ]);
    expect(answer.json['error_id']).toEqual(expect.any(String));
  });

  it('a disabled principal: 401 invalid_client', async () => {
    await start();
    lab.principals.add('off', 's').isDisabled = true;
    expect((await askToken(lab, PLAIN_FORM, { id: 'off', secret: 's' })).json['error']).toBe('invalid_client');
  });

  it.each([
    [{ scope: 'all-apis' }, 'invalid_request'],
    [{ grant_type: 'password', scope: 'all-apis' }, 'unsupported_grant_type'],
    [{ grant_type: 'client_credentials' }, 'invalid_scope'],
    [{ grant_type: 'client_credentials', scope: 'everything' }, 'invalid_scope'],
    [{ ...PLAIN_FORM, resource: 'api://x' }, 'invalid_request'],
    [{ ...PLAIN_FORM, authorization_details: '[]' }, 'invalid_request'],
  ])('%j: 400 %s', async (form, error) => {
    await start();
    const answer = await askToken(lab, form);
    expect([answer.status, answer.json['error']]).toEqual([400, error]);
  });

  it('a body that is no form: 400 invalid_request', async () => {
    await start();
    const authorization = `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}`;
    const headers = { authorization, 'content-type': 'application/json' };
    const answer = await send(`${lab.workspaceUrl}/oidc/v1/token`, { method: 'POST', headers, body: JSON.stringify(PLAIN_FORM) });
    expect([answer.status, answer.json['error']]).toEqual([400, 'invalid_request']);
  });
});

describe('1.3 Zerobus tokens', () => {
  it('are given for granted privileges on catalog, schema and table, and are longer than 4 KiB', async () => {
    await start();
    const answer = await askToken(lab, makeScopedForm(lab));
    expect(answer.status).toBe(200);
    expect((answer.json['access_token'] as string).length).toBeGreaterThan(4096);
    expect((await insert(lab, answer.json['access_token'] as string, [{ id: 'a' }])).status).toBe(200);
  });

  const changed = (change: (details: Record<string, unknown>[]) => void): unknown => {
    const details = makeDetails();
    change(details);
    return details;
  };
  it.each<[string, unknown]>([
    ['a table that does not exist', makeDetails('main.fhir.no')],
    ['a privilege spelled with an underscore', changed(([first]) => Object.assign(first ?? {}, { privileges: ['USE_CATALOG'] }))],
    [
      'a privilege that is not granted',
      changed(([, , third]) => Object.assign(third ?? {}, { privileges: ['SELECT', 'MANAGE'] })),
    ],
    ['a catalog that does not exist', changed(([first]) => Object.assign(first ?? {}, { object_full_path: 'no' }))],
    ['another operation', changed(([, , third]) => Object.assign(third ?? {}, { operations: ['read'] }))],
  ])('%s: 401 invalid_authorization_details', async (_, details) => {
    await start();
    const answer = await askToken(lab, makeScopedForm(lab, details));
    expect([answer.status, answer.json['error'], answer.json['error_description']]).toEqual([
      401,
      'invalid_authorization_details',
      'User is not authorized to the requested authorizations',
    ]);
  });

  it.each([['not JSON'], ['{}'], ['[]'], ['[{"type":"other"}]']])(
    'authorization_details %j: 400 invalid_request',
    async (text) => {
      await start();
      const answer = await askToken(lab, { ...makeScopedForm(lab), authorization_details: text });
      expect([answer.status, answer.json['error']]).toEqual([400, 'invalid_request']);
    },
  );

  it('inherited grants and ALL PRIVILEGES are not enough, unless switched so', async () => {
    for (const inheritedGrantsSuffice of [false, true]) {
      await start({ inheritedGrantsSuffice });
      lab.registry.grants.revoke(CLIENT.id, 'SCHEMA', 'main.fhir');
      lab.registry.grants.revoke(CLIENT.id, 'TABLE', TABLE);
      lab.registry.grants.grant(CLIENT.id, 'CATALOG', 'main', 'ALL PRIVILEGES');
      expect((await askToken(lab, makeScopedForm(lab))).status).toBe(inheritedGrantsSuffice ? 200 : 401);
      if (!inheritedGrantsSuffice) await lab.close();
    }
  });

  it('with the TABLE entry alone are given, and refused at insert with 403', async () => {
    await start();
    const minted = await askToken(lab, makeScopedForm(lab, makeDetails().slice(2)));
    expect(minted.status).toBe(200);
    const answer = await insert(lab, minted.json['access_token'] as string, [{ id: 'a' }]);
    expect([answer.status, answer.json['error_code']]).toEqual([403, 'PERMISSION_DENIED']);
  });

  it.each([
    ['optional', false, 200],
    ['optional', true, 200],
    ['mandatory', false, 401],
    ['mandatory', true, 200],
    ['refused', true, 401],
    ['refused', false, 200],
  ] as const)('operations %s, given: %p → %i', async (operations, isGiven, status) => {
    await start({ operations });
    const details = makeDetails();
    if (isGiven) Object.assign(details[2] ?? {}, { operations: ['zerobuswrite'] });
    expect((await askToken(lab, makeScopedForm(lab, details))).status).toBe(status);
  });

  it('for another workspace id are refused at insert (10.6)', async () => {
    await start();
    const minted = await askToken(lab, makeScopedForm(lab, makeDetails(), '1'));
    const answer = await insert(lab, minted.json['access_token'] as string, [{ id: 'a' }]);
    expect([answer.status, answer.json['error_code']]).toEqual([401, 'UNAUTHENTICATED']);
  });
});

describe('refusals of tokens', () => {
  it.each([401, 403] as const)('1.3 a plain token is refused at insert: %i', async (plainTokenStatus) => {
    await start({ plainTokenStatus });
    expect((await insert(lab, await mintPlain(lab), [{ id: 'a' }])).status).toBe(plainTokenStatus);
  });

  it('1.5 a personal token is refused at insert', async () => {
    await start();
    lab.principals.addPersonalToken('dapi123', CLIENT.id);
    expect((await insert(lab, 'dapi123', [{ id: 'a' }])).status).toBe(401);
  });

  it('an expired token, no token, an unknown token: 401', async () => {
    await start();
    const token = await mintScoped(lab);
    expect((await insert(lab, token, [{ id: 'a' }])).status).toBe(200);
    lab.tokens.expireAll();
    for (const bad of [token, '', 'x.y.z']) {
      const answer = await insert(lab, bad, [{ id: 'a' }]);
      expect([answer.status, answer.json['error_code']]).toEqual([401, 'UNAUTHENTICATED']);
    }
  });

  it('a token that lived out its time: 401', async () => {
    await start({}, 50);
    const token = await mintScoped(lab);
    await eventually(async () => expect((await insert(lab, token, [{ id: 'a' }])).status).toBe(401));
  });

  it('10.7 a table that was made again refuses the old token and takes a new one', async () => {
    await start();
    const token = await mintScoped(lab);
    lab.registry.dropTable(TABLE);
    expect((await insert(lab, token, [{ id: 'a' }])).status).toBe(404);
    lab.registry.createTable(TABLE, { columns: [['id', 'STRING']] });
    expect((await insert(lab, token, [{ id: 'a' }])).status).toBe(403);
    expect((await insert(lab, await mintScoped(lab), [{ id: 'a' }])).status).toBe(200);
  });

  it('a grant that is taken away: 403 with the privilege; given again, the old token serves', async () => {
    await start();
    const token = await mintScoped(lab);
    lab.registry.grants.revoke(CLIENT.id, 'TABLE', TABLE, 'MODIFY');
    const answer = await insert(lab, token, [{ id: 'a' }]);
    expect([answer.status, answer.json['error_code']]).toEqual([403, 'PERMISSION_DENIED']);
    expect(answer.json['message']).toContain('Authorization token is missing MODIFY privilege for a table');
    lab.registry.grants.grant(CLIENT.id, 'TABLE', TABLE, 'MODIFY');
    expect((await insert(lab, token, [{ id: 'a' }])).status).toBe(200);
  });

  it('10.8 Unity Catalog refuses a Zerobus token, unless switched so', async () => {
    await start();
    const headers = { authorization: `Bearer ${await mintScoped(lab)}` };
    const url = `${lab.workspaceUrl}/api/2.1/unity-catalog/tables/${TABLE}`;
    expect((await send(url, { headers })).status).toBe(401);
    lab.switches.scopedTokenServesWorkspace = true;
    expect((await send(url, { headers })).status).toBe(200);
  });
});
