import { randomUUID } from 'node:crypto';

/** The answer of a REST service. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON text, or nothing. */
  readonly body?: string;
  /** For the journal. */
  readonly error?: string;
}

/** 2.7: the shape of Zerobus' errors. */
export function zerobusError(status: number, code: string, message: string, headers?: Readonly<Record<string, string>>): Answer {
  return { status, body: JSON.stringify({ error_code: code, message }), error: code, ...(headers && { headers }) };
}

/** 4.6: the shape of Unity Catalog's errors. */
export function unityError(
  status: number,
  code: string,
  message: string,
  info: { readonly reason?: string; readonly metadata?: Readonly<Record<string, string>> } = {},
): Answer {
  return { status, body: JSON.stringify(makeUnityBody(code, message, info)), error: info.reason ?? code };
}

export function makeUnityBody(
  code: string,
  message: string,
  info: { readonly reason?: string; readonly metadata?: Readonly<Record<string, string>> } = {},
): Record<string, unknown> {
  const reason = {
    '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
    reason: info.reason ?? code,
    domain: 'unity-catalog.databricks.com',
    metadata: info.metadata ?? {},
  };
  const request = { '@type': 'type.googleapis.com/google.rpc.RequestInfo', request_id: randomUUID(), serving_data: '' };
  return { error_code: code, message, details: [reason, request] };
}

/** 1.2: the shape of the token endpoint's errors. */
export function tokenError(status: number, error: string, description: string): Answer {
  const body = { error, error_description: description, ...(status === 401 && { error_id: randomUUID() }) };
  return { status, body: JSON.stringify(body), error };
}

export function ok(body: Readonly<Record<string, unknown>>): Answer {
  return { status: 200, body: JSON.stringify(body) };
}
