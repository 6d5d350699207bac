import { parentPort } from 'node:worker_threads';
import { isAppError } from '../errors/app-error.ts';
import { describeCause } from '../lib/describe-cause.ts';
import { makeDesk } from './desk.ts';
import type { Message, Question, ThreadError } from './protocol.ts';

/** Runs in a thread of its own: answers questions one after the other. Texts of other errors than our own may quote data and stay here. */
const port = parentPort;
if (port === null) throw new Error('this file is the program of a worker thread');
const answer = makeDesk();
const send = (message: Message): void => port.postMessage(message);

port.on('message', (question: Question) => {
  try {
    send({ kind: 'answer', value: answer(question) });
  } catch (error) {
    send({ kind: 'error', error: describeError(error) });
  }
});
send({ kind: 'ready' });

function describeError(error: unknown): ThreadError {
  return isAppError(error)
    ? { code: error.code, message: error.message, facts: error.facts }
    : { code: undefined, message: describeCause(error), facts: {} };
}
