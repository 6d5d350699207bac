/** A call that is answered with an HTTP status other than 200. The driver throws THTTPException for it. */
export class HttpRefusal extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly code: string;

  /** The text also stands in the header that drivers read: `x-thriftserver-error-message` (3.4). */
  constructor(status: number, code: string, text: string, retryAfterSeconds?: number) {
    super(`${code}: ${text}`);
    this.status = status;
    this.code = code;
    this.headers = {
      'x-thriftserver-error-message': this.message.replace(/\s+/g, ' '),
      ...(retryAfterSeconds !== undefined && { 'retry-after': String(retryAfterSeconds) }),
    };
  }
}
