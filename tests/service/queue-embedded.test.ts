import { describe } from '@jest/globals';
import { startEmbedded } from '../helpers/postgres.ts';
import { queueSuite } from './queue-suite.ts';

describe('queue store on the embedded PostgreSQL', () => queueSuite(startEmbedded));
