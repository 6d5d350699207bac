/** A process that uses the embedded PostgreSQL of a directory: `embedded-user.ts DIR` prints its server as JSON and stays until its standard input ends. */
import { startEmbeddedPostgres } from '../../app/queue/embedded-postgres.ts';
import { SILENT } from './queue-server.ts';

const server = await startEmbeddedPostgres({ dataDir: process.argv[2] ?? '', log: SILENT });
process.stdout.write(`${JSON.stringify({ pid: server.pid, connectionString: server.connectionString })}\n`);
process.stdin.resume().on('end', () => void server.stop());
