/** A FHIR server's public API, as a user calls it. */
export interface FhirApi {
  /** @throws when the status is not one of `expected` */
  call(
    method: string,
    path: string,
    options?: { readonly body?: string | object; readonly contentType?: string; readonly expected?: readonly number[] },
  ): Promise<{ readonly status: number; readonly body: unknown }>;
}

export function makeFhirApi(baseUrl: string, user: string, password: string): FhirApi {
  const authorization = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  return {
    async call(method, path, { body, contentType = 'application/json', expected = [200, 201] } = {}) {
      const response = await fetch(`${baseUrl}${path}`, {
        method,
        headers: { authorization, accept: 'application/json', ...(body === undefined ? {} : { 'content-type': contentType }) },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
      });
      const text = await response.text();
      if (!expected.includes(response.status))
        throw new Error(
          `${method} ${path} answered ${response.status}, expected ${expected.join(' or ')}: ${text.slice(0, 2000)}`,
        );
      return { status: response.status, body: text === '' ? undefined : JSON.parse(text) };
    },
  };
}
