/** Every operation of the API, by the method and the path of its route. */
import { AGENTS } from './agents.ts';
import { JOBS } from './jobs.ts';
import { LIST, SERVICE, TOPICS } from './others.ts';
import { SUBMISSIONS } from './submissions.ts';
import type { Operations } from './vocabulary.ts';

export const OPERATIONS: Operations = { ...SUBMISSIONS, ...JOBS, ...LIST, ...TOPICS, ...AGENTS, ...SERVICE };
