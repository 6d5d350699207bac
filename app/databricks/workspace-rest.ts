import { AppError, isAppError } from '../errors/app-error.ts';
import { asObject, type Json } from '../lib/json.ts';
import { parseJson } from './answers.ts';
import { describeRequest, type HttpAnswer, type HttpClient } from './http-client.ts';
import type { TokenSource } from './token-source.ts';
import { findUnityRefusal } from './unity-refusal.ts';

/** Calls of one workspace's REST interfaces, as the service principal. */
export interface WorkspaceRest {
  /**
   * A good answer and its JSON object. After a 401 the call is made once more with a new token.
   *
   * @param object what is asked for, for the message: `table main.fhir.patients`
   * @throws AppError DATABRICKS_…, UNITY_…
   */
  call(request: RestRequest, object: string): Promise<{ readonly body: Json; readonly answer: HttpAnswer }>;
}

export interface RestRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** With the query: `/api/2.1/unity-catalog/tables/main.fhir.patients` */
  readonly path: string;
  readonly body?: Json;
  /** The workspace may lack this call, which is UNITY_CALL_ABSENT then. */
  readonly mayBeAbsent?: boolean;
}

export interface WorkspaceRestOptions {
  readonly http: HttpClient;
  /** `https://<workspace host>` */
  readonly workspaceUrl: string;
  /** Tokens without a table (contract §1.1). */
  readonly tokens: TokenSource;
}

export function makeWorkspaceRest({ http, workspaceUrl, tokens }: WorkspaceRestOptions): WorkspaceRest {
  const attempt = async (
    { method, path, body, mayBeAbsent }: RestRequest,
    object: string,
    token: string,
  ): Promise<HttpAnswer> => {
    const headers = { authorization: `Bearer ${token}`, accept: 'application/json' };
    const content =
      body === undefined
        ? { headers }
        : { headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(body) };
    const request = { method, url: `${workspaceUrl}${path}`, ...content };
    const answer = await http.send(request);
    const refusal = findUnityRefusal(answer, describeRequest(request), object, mayBeAbsent);
    if (refusal !== undefined) throw refusal;
    return answer;
  };
  return {
    async call(request, object) {
      const token = await tokens.get();
      const answer = await attempt(request, object, token).catch(async (error: unknown) => {
        const wasRefused = isAppError(error) && error.facts['status'] === 401;
        if (!wasRefused) throw error;
        tokens.drop(token);
        return attempt(request, object, await tokens.get());
      });
      const body = asObject(parseJson(answer.text === '' ? '{}' : answer.text));
      if (body !== undefined) return { body, answer };
      throw new AppError(
        'DATABRICKS_WRONG_ADDRESS',
        `${describeRequest({ method: request.method, url: `${workspaceUrl}${request.path}` })} answered ${answer.status} without a JSON object for ${object}; one was expected`,
      );
    },
  };
}
