import { beforeEach, describe, expect, it } from '@jest/globals';
import type { DestinationAction } from '../../../app/destinations/destination-operations.ts';
import type { OperationCall } from '../../../app/destinations/operation-deps.ts';
import { AppError } from '../../../app/errors/app-error.ts';
import { ERRORS, type ErrorCode } from '../../../app/errors/catalogue.ts';
import { answerOf, type OperationAnswer } from '../../../app/fhir/operation-outcome.ts';
import { makeOperationHandler, OPERATION_ACTIONS, type OperationHandler } from '../../../app/http/operations.ts';
import { makeLogger } from '../../../app/log.ts';

const AUTHORIZATION = `Basic ${Buffer.from('lakehouse:app-secret').toString('base64')}`;
let handled: { action: DestinationAction; call: OperationCall }[];
let logLines: string[];
let answer: () => Promise<OperationAnswer>;
let handler: OperationHandler;

beforeEach(() => {
  handled = [];
  logLines = [];
  answer = async () => ({ status: 200, body: { ok: true } });
  const act = (action: DestinationAction) => (call: OperationCall) => {
    handled.push({ action, call });
    return answer();
  };
  handler = makeOperationHandler({
    appId: 'lakehouse',
    appSecret: 'app-secret',
    baseUrl: 'http://aidbox/',
    destinations: {
      create: act('create'),
      read: act('read'),
      search: act('search'),
      remove: act('remove'),
      status: act('status'),
      history: act('history'),
    },
    log: makeLogger('debug', (line) => void logLines.push(line)),
  });
});

const envelope = (id: string, request: Record<string, unknown> = {}, more = {}): unknown => ({
  operation: { id },
  request,
  ...more,
});
const diagnosticsOf = ({ body }: OperationAnswer): string => (body as { issue: { diagnostics: string }[] }).issue[0]!.diagnostics;

describe('the App endpoint', () => {
  it.each([
    undefined,
    '',
    'Bearer x',
    `Basic ${Buffer.from('lakehouse:wrong').toString('base64')}`,
    `Basic ${Buffer.from('other:app-secret').toString('base64')}`,
    AUTHORIZATION.slice(0, -1),
  ])('refuses a call with the authorization %p', async (authorization) => {
    expect((await handler(envelope('lakehouse-read', { 'route-params': { id: 'a' } }), authorization)).status).toBe(401);
    expect(handled).toEqual([]);
  });

  it.each(Object.entries(OPERATION_ACTIONS))('leads %s to %s', async (id, action) => {
    expect(await handler(envelope(id, { 'route-params': { id: 'a' } }), AUTHORIZATION)).toEqual({
      status: 200,
      body: { ok: true },
    });
    expect(handled.map((each) => each.action)).toEqual([action]);
  });

  it('reads the documented form, with the base URL of the box', async () => {
    const form = {
      type: 'operation',
      request: {
        resource: { resourceType: 'X' },
        params: { _format: 'json', kind: ['a', 'b'] },
        'route-params': { id: 'dest-7' },
        headers: { 'Content-Type': 'application/json', Authorization: 'Bearer abc', odd: 5 },
      },
      box: { 'base-url': 'http://box:8080/' },
      operation: { id: 'lakehouse-create', app: { id: 'lakehouse', resourceType: 'App' } },
    };
    await handler(form, AUTHORIZATION);
    const { call } = handled[0]!;
    expect(call).toMatchObject({
      id: 'dest-7',
      resource: { resourceType: 'X' },
      caller: { 'content-type': 'application/json', authorization: 'Bearer abc' },
      baseUrl: 'http://box:8080',
    });
    expect([...call.params]).toEqual([
      ['_format', 'json'],
      ['kind', 'a'],
      ['kind', 'b'],
    ]);
  });

  it('reads the form of explicit Operation resources and of older releases', async () => {
    await handler(
      { operation: { id: 'lakehouse-fhir-search', action: 'proto.app/endpoint', module: 'm', request: ['get'] } },
      AUTHORIZATION,
    );
    await handler(
      {
        type: 'operation',
        operation: { id: 'lakehouse-create' },
        request: {
          resource: null,
          body: '{"resourceType":"X"}',
          params: null,
          'oauth/user': { id: 'u' },
        },
      },
      AUTHORIZATION,
    );
    expect(handled[0]!.call).toMatchObject({ id: undefined, resource: undefined, caller: {}, baseUrl: 'http://aidbox' });
    expect(handled[1]!.call.resource).toEqual({ resourceType: 'X' });
  });

  it.each([
    ['in form-params', { 'form-params': { kind: 'x', status: ['a', 'b'] } }],
    ['among the parameters of the query', { params: { kind: 'x', status: ['a', 'b'] } }],
    ['as the raw body', { body: 'kind=x&status=a&status=b', resource: null }],
    ['as the resource', { resource: { kind: 'x', status: ['a', 'b'] } }],
    ['in form-params, with the raw body', { 'form-params': { kind: 'x', status: ['a', 'b'] }, body: 'kind=x&status=a&status=b' }],
  ])('finds the fields of a search form %s', async (_name, request) => {
    expect((await handler(envelope('lakehouse-fhir-search-post', request), AUTHORIZATION)).status).toBe(200);
    expect(handled[0]!.call.params.toString()).toBe('kind=x&status=a&status=b');
  });

  it('takes no fields from the body of a search that is JSON, and reads the version of a history', async () => {
    await handler(
      envelope('lakehouse-search-post', { resource: { resourceType: 'Parameters' }, body: '{"a":1}' }),
      AUTHORIZATION,
    );
    expect(handled[0]!.call.params.size).toBe(0);
    await handler(envelope('lakehouse-fhir-history-version', { 'route-params': { id: 'a', version: '12' } }), AUTHORIZATION);
    expect(handled[1]!.call).toMatchObject({ id: 'a', version: '12', isPlainRoute: false });
    await handler(envelope('lakehouse-history', { 'route-params': { id: 'a' } }), AUTHORIZATION);
    expect(handled[2]!.call).toMatchObject({ id: 'a', version: undefined, isPlainRoute: true });
  });

  it('decodes ids, and refuses those that are none', async () => {
    await handler(envelope('lakehouse-read', { 'route-params': { id: 'a%2Db' } }), AUTHORIZATION);
    expect(handled[0]!.call.id).toBe('a-b');
    for (const id of ['..', '.', 'a/b', 'a%2Fb', '%2e%2e', '%zz', '', 'x'.repeat(129), 5, { a: 1 }]) {
      expect({
        id,
        status: (await handler(envelope('lakehouse-read', { 'route-params': { id } }), AUTHORIZATION)).status,
      }).toEqual({ id, status: 400 });
    }
    expect(handled).toHaveLength(1);
  });

  it.each([
    undefined,
    null,
    5,
    'x',
    [],
    {},
    { operation: {} },
    { operation: { id: '' } },
    { type: 'subscription', operation: { id: 'lakehouse-read' } },
    { operation: { id: 'lakehouse-create' }, request: { body: '{no json' } },
  ])('answers %p with 400 and an OperationOutcome', async (body) => {
    const result = await handler(body, AUTHORIZATION);
    expect(result).toMatchObject({ status: 400, body: { resourceType: 'OperationOutcome', issue: [{ severity: 'error' }] } });
  });

  it('answers 404 for an operation of another release', async () => {
    expect((await handler(envelope('toString'), AUTHORIZATION)).status).toBe(404);
    expect((await handler(envelope('lakehouse-export'), AUTHORIZATION)).status).toBe(404);
  });

  it('answers a probe by itself', async () => {
    const id = `lakehouse-probe-${'0a'.repeat(16)}`;
    const result = await handler(envelope('lakehouse-fhir-read', { 'route-params': { id } }), AUTHORIZATION);
    expect(diagnosticsOf(result)).toContain(id);
    expect(handled).toEqual([]);
  });

  it('turns errors into outcomes with what to do, and logs their code', async () => {
    answer = () => Promise.reject(new AppError('AIDBOX_UNAVAILABLE', 'Aidbox answered 503', { retryAfterMs: 2_500 }));
    const result = await handler(envelope('lakehouse-search'), AUTHORIZATION);
    expect(result).toMatchObject({ status: 503, headers: { 'retry-after': '3' }, body: { issue: [{ code: 'transient' }] } });
    expect(diagnosticsOf(result)).toContain(ERRORS.AIDBOX_UNAVAILABLE.action);
    expect(logLines.join('')).toContain('AIDBOX_UNAVAILABLE');
  });

  it('shows and logs nothing of a foreign error but its class', async () => {
    answer = () => Promise.reject(new TypeError('patient canary'));
    const result = await handler(envelope('lakehouse-search'), AUTHORIZATION);
    expect(result.status).toBe(500);
    expect(JSON.stringify(result) + logLines.join('')).not.toContain('canary');
    expect(logLines.join('')).toContain('TypeError');
  });
});

it('gives every error of the catalogue an HTTP status that fits its kind', () => {
  for (const code of Object.keys(ERRORS) as ErrorCode[]) {
    const { status, body } = answerOf(new AppError(code, 'm'));
    expect({ code, isClientOrServerError: status >= 400 && status < 600 }).toEqual({ code, isClientOrServerError: true });
    expect(body).toMatchObject({ issue: [{ severity: 'error', details: { coding: [{ code }] } }] });
  }
});
