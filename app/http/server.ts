import { createServer, type Server } from 'node:http';
import express, { type NextFunction, type Request, type Response } from 'express';
import { AppError } from '../errors/app-error.ts';
import { answerOf, type OperationAnswer } from '../fhir/operation-outcome.ts';
import { describeCause } from '../lib/describe-cause.ts';
import type { Logger } from '../log.ts';
import type { Metrics } from '../metrics.ts';

/** What answers the routes; each is optional, so that a process serves what its role needs. */
export interface Routes {
  readonly webhook?: (request: Request, response: Response) => Promise<void>;
  /** The App endpoint: body and `Authorization` header of Aidbox's call. */
  readonly operation?: (body: unknown, authorization: string | undefined) => Promise<OperationAnswer>;
  readonly health: () => Promise<OperationAnswer>;
  readonly ready: () => Promise<OperationAnswer>;
  readonly metrics: Metrics;
  /** Brings gauges up to date before they are read. */
  readonly refreshMetrics: () => Promise<void>;
  /** Tells Aidbox from strangers before the body of an operation is read. */
  readonly isOperationCaller: (authorization: string | undefined) => boolean;
  readonly log: Logger;
}

/** Aidbox takes resources up to 20 MiB; its call of an operation wraps one. */
const OPERATION_LIMIT = '25mb';

export function makeServer(routes: Routes): Server {
  const app = express();
  const server = createServer(app);
  app.disable('x-powered-by');
  app.set('etag', false);
  app.use((_request, response, next) => {
    response.setHeader('X-Content-Type-Options', 'nosniff');
    response.setHeader('Cache-Control', 'no-store');
    if (!server.listening) response.setHeader('Connection', 'close'); // stopping: no further request on this connection
    next();
  });
  const { webhook, operation, isOperationCaller } = routes;
  if (webhook !== undefined) app.post('/webhooks/:id/:incarnation', webhook);
  if (operation !== undefined) {
    const refuseStrangers = (request: Request, _response: Response, next: NextFunction): void => {
      // Before the body is read: a stranger must not make us parse 25 MB.
      next(
        isOperationCaller(request.headers.authorization)
          ? undefined
          : new AppError('OPERATION_UNAUTHORIZED', 'the call carries no valid App credentials'),
      );
    };
    app.post(
      '/aidbox',
      refuseStrangers,
      express.json({ limit: OPERATION_LIMIT, type: () => true, strict: false }),
      async (request, response) => {
        send(response, await operation(request.body, request.headers.authorization));
      },
    );
  }
  app.get(
    '/',
    (_request, response) =>
      void response.json({ service: 'aidbox-data-lakehouse', health: '/health', ready: '/ready', metrics: '/metrics' }),
  );
  app.get('/health', async (_request, response) => send(response, await routes.health()));
  app.get('/ready', async (_request, response) => send(response, await routes.ready()));
  app.get('/metrics', async (_request, response) => {
    await routes.refreshMetrics();
    response.type(routes.metrics.registry.contentType).send(await routes.metrics.registry.metrics());
  });
  app.use((_request, response) => void response.status(404).json({ error: 'no such route' }));
  app.use((error: unknown, request: Request, response: Response, _next: NextFunction) => {
    const status = (error as { status?: unknown }).status;
    if (typeof status === 'number' && status >= 400 && status < 500) {
      // Raised by the body parser: its text may quote the body.
      return send(
        response,
        answerOf(new AppError('OPERATION_INVALID', `the body of the call is not acceptable JSON (status ${status})`)),
      );
    }
    if (!(error instanceof AppError))
      routes.log.error({
        event: 'request.failed',
        operation: request.route === undefined ? undefined : String((request.route as { path: unknown }).path),
        code: 'INTERNAL',
        cause: describeCause(error),
      });
    send(response, answerOf(error));
  });
  server.keepAliveTimeout = 125_000; // longer than Aidbox keeps its connections (120 s), so we never close under a request
  server.headersTimeout = 130_000;
  server.requestTimeout = 300_000;
  return server;
}

function send(response: Response, { status, headers, body }: OperationAnswer): void {
  for (const [name, value] of Object.entries(headers ?? {})) response.setHeader(name, value);
  response.status(status);
  if (body === undefined) response.end();
  else response.json(body);
}

/** @throws AppError PORT_IN_USE */
export function listen(server: Server, port: number, host: string): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once('error', (cause) => reject(new AppError('PORT_IN_USE', `port ${port} on ${host} cannot be opened`, { cause })));
    server.listen(port, host, () => resolve((server.address() as { port: number }).port));
  });
}

/** Stops accepting, lets requests under way finish, then closes idle connections. */
export function closeServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const closing = setInterval(() => server.closeIdleConnections(), 100);
    server.close(() => {
      clearInterval(closing);
      resolve();
    });
    server.closeIdleConnections();
  });
}
