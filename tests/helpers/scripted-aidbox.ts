import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Json = Record<string, unknown>;

/** One call as the server saw it. */
export interface SeenCall {
  readonly method: string;
  /** Path without query. */
  readonly path: string;
  readonly params: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: unknown;
}

export interface ScriptedAnswer {
  readonly status: number;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

/**
 * What to do with a call: answer so, `cut` the connection without doing it, or do it and `lose` the answer. Undefined: as usual.
 */
export type Script = (call: SeenCall) => ScriptedAnswer | 'cut' | 'lose' | undefined;

/**
 * The least of Aidbox that the management of destinations talks to: resources by type with versions, search that ignores what it
 * does not know, and an access check by `Authorization`. It shares no code with the product and knows nothing of its formats.
 */
export class ScriptedAidbox {
  readonly calls: SeenCall[] = [];
  readonly store = new Map<string, Map<string, Json>>();
  /** `Authorization` values that are let in. */
  readonly admitted = new Set<string>();
  script: Script = () => undefined;
  private readonly server = createServer((request, response) => void this.handle(request, response));
  private version = 100;

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
    return this.baseUrl;
  }

  get baseUrl(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise((resolve) => this.server.close(resolve));
  }

  /** Resources of a type, as stored. */
  all(type: string): Json[] {
    return [...(this.store.get(type) ?? new Map<string, Json>()).values()];
  }

  put(resource: Json): Json {
    const type = String(resource['resourceType']);
    const versionId = String(++this.version);
    const meta = {
      ...(resource['meta'] as Json),
      versionId,
      lastUpdated: '2026-08-03T09:15:01.204518Z',
      createdAt: '2026-08-03T09:15:01.204518Z',
    };
    const stored = { ...resource, meta };
    if (!this.store.has(type)) this.store.set(type, new Map());
    this.store.get(type)!.set(String(resource['id']), stored);
    return stored;
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString('utf8');
    const url = new URL(request.url ?? '/', 'http://aidbox');
    const call: SeenCall = {
      method: request.method ?? '',
      path: url.pathname,
      params: url.searchParams,
      headers: request.headers as SeenCall['headers'],
      body: text === '' ? undefined : (JSON.parse(text) as unknown),
    };
    this.calls.push(call);
    const scripted = this.script(call);
    if (scripted === 'cut') return void request.socket.destroy();
    const answer = typeof scripted === 'object' ? scripted : this.answer(call);
    if (scripted === 'lose') return void request.socket.destroy();
    response.writeHead(answer.status, { 'content-type': 'application/json', ...answer.headers });
    response.end(answer.body === undefined ? '' : JSON.stringify(answer.body));
  }

  private answer(call: SeenCall): ScriptedAnswer {
    if (call.path === '/health') return { status: 200, body: { status: 'pass', about: { version: '2606.1' } } };
    if (!this.admitted.has(call.headers['authorization'] ?? ''))
      return { status: 401, body: { resourceType: 'OperationOutcome' } };
    const [type = '', id, operation] = call.path
      .replace(/^\/fhir\//, '/')
      .slice(1)
      .split('/');
    if (type === '$to-format') return { status: 200, body: { resource: { ...(call.body as Json), converted: id } } };
    if (operation === '$status') {
      if (!this.store.get(type)?.has(id ?? '')) return { status: 404, body: { resourceType: 'OperationOutcome' } };
      return {
        status: 200,
        body: {
          resourceType: 'Parameters',
          parameter: [
            { name: 'status', value: { string: 'active' } },
            { name: 'messagesQueued', value: { decimal: 7 } },
          ],
        },
      };
    }
    const resources = this.store.get(type) ?? new Map<string, Json>();
    const existing = id === undefined ? undefined : resources.get(id);
    if (call.method === 'GET' && id === undefined) return this.search(type, call.params);
    if (call.method === 'GET')
      return existing === undefined
        ? { status: 404, body: { resourceType: 'OperationOutcome' } }
        : { status: 200, body: existing };
    if (call.method === 'DELETE') {
      if (existing === undefined) return { status: 204 };
      resources.delete(id!);
      return { status: 200, body: existing };
    }
    const body = call.body as Json;
    if (call.method === 'POST') {
      if (resources.has(String(body['id']))) return { status: 409, body: { resourceType: 'OperationOutcome' } };
      const stored = this.put({ id: `generated-${this.version}`, ...body });
      return {
        status: 201,
        body: stored,
        headers: { etag: String(this.version), location: `/${type}/${String(stored['id'])}/_history/${this.version}` },
      };
    }
    const wanted = /^W\/"(.+)"$/.exec(call.headers['if-match'] ?? '')?.[1];
    const isStale = wanted !== undefined && (existing?.['meta'] as Json | undefined)?.['versionId'] !== wanted;
    return isStale ? { status: 412 } : { status: existing === undefined ? 201 : 200, body: this.put(body) };
  }

  private search(type: string, params: URLSearchParams): ScriptedAnswer {
    const count = Number(params.get('_count') ?? 100);
    const page = Number(params.get('_page') ?? 1);
    const filters = ['name', 'url', '_id', 'topic', 'kind'].filter((name) => params.has(name));
    const found = this.all(type).filter((resource) =>
      filters.every((name) => resource[name.replace('_', '')] === params.get(name)),
    );
    const entry = found.slice((page - 1) * count, page * count).map((resource) => ({ resource }));
    const isLast = page * count >= found.length;
    const link = ['first', 'self', ...(isLast ? [] : ['next']), 'last'].map((relation) => ({ relation, url: '/…' }));
    return { status: 200, body: { resourceType: 'Bundle', type: 'searchset', total: found.length, link, entry } };
  }
}
