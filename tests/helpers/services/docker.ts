import { request } from 'node:http';
import type { Availability } from './availability.ts';

const TIMEOUT_MS = 2_000;

/** Whether a Docker engine answers at DOCKER_HOST or the usual socket. */
export async function findDocker(): Promise<Availability<true>> {
  return (await dockerAnswers())
    ? { name: 'Docker', found: true }
    : { name: 'Docker', enableBy: 'start a Docker engine', needsPerson: true };
}

export function dockerAnswers(): Promise<boolean> {
  const host = process.env['DOCKER_HOST'] || 'unix:///var/run/docker.sock';
  const url = URL.canParse(host) ? new URL(host) : undefined;
  if (url === undefined) return Promise.resolve(false);
  const target = url.protocol === 'unix:' ? { socketPath: url.pathname } : { host: url.hostname, port: url.port };
  return new Promise((resolve) => {
    const ping = request({ ...target, path: '/_ping', timeout: TIMEOUT_MS }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    ping.on('error', () => resolve(false)).on('timeout', () => ping.destroy(new Error('no answer')));
    ping.end();
  });
}
