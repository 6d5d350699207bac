import http from 'node:http';
import https from 'node:https';

export interface PostRequest {
  readonly url: string;
  readonly headers: http.OutgoingHttpHeaders;
  readonly body: string;
  readonly timeoutMs: number;
  readonly agent?: http.Agent;
  readonly signal?: AbortSignal;
  /** `answer`: read the head of the answer and drop the connection. `request`: break off in the middle of the body. */
  readonly cut?: 'answer' | 'request';
  /** How many redirects to follow; default 0. */
  readonly redirects?: number;
}

export interface PostAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

/**
 * Send one POST.
 *
 * @throws Error when there is no (whole) answer in time; `TimeoutError` is its name when time ran out
 */
export async function sendPost(request: PostRequest): Promise<PostAnswer> {
  const answer = await sendOnce(request);
  const location = answer.headers.location;
  const isRedirect = answer.status >= 300 && answer.status < 400 && location !== undefined;
  if (!isRedirect || !request.redirects) return answer;
  return sendPost({ ...request, url: new URL(location, request.url).href, redirects: request.redirects - 1 });
}

function sendOnce(request: PostRequest): Promise<PostAnswer> {
  return new Promise((resolve, reject) => {
    const client = request.url.startsWith('https:') ? https : http;
    const body = Buffer.from(request.body);
    const headers = { ...request.headers, 'content-length': body.length };
    const outgoing = client.request(request.url, { method: 'POST', headers, agent: request.agent, signal: request.signal });
    const timer = setTimeout(() => {
      const error = new Error(`no answer within ${request.timeoutMs} ms`);
      error.name = 'TimeoutError';
      outgoing.destroy(error);
    }, request.timeoutMs);
    const fail = (error: Error): void => {
      clearTimeout(timer);
      reject(error);
    };
    outgoing.on('error', fail);
    outgoing.on('response', (answer) => {
      if (request.cut === 'answer') outgoing.destroy(new Error('the connection was lost before the answer was read'));
      const chunks: Buffer[] = [];
      answer.on('data', (chunk: Buffer) => chunks.push(chunk));
      answer.on('error', fail);
      answer.on('end', () => {
        clearTimeout(timer);
        resolve({ status: answer.statusCode ?? 0, headers: answer.headers, body: Buffer.concat(chunks) });
      });
      answer.on('close', () => fail(new Error('the connection was closed in the middle of the answer')));
    });
    if (request.cut === 'request') {
      const broken = new Error('the connection was lost in the middle of the request');
      outgoing.write(body.subarray(0, body.length >> 1), () => outgoing.destroy(broken));
    } else {
      outgoing.end(body);
    }
  });
}
