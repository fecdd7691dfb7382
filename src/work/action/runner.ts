/**
 * Begins a bulk action. The attempt only hands the walk through the list to its job, as an attempt does with the operation of an
 * upstream: each portion of the walk has a message, and any consumer can continue it.
 */
import { ACTION_SECONDS } from '../../core/action/limits.ts';
import { START_OF_WALK } from '../../core/action/walk.ts';
import type { Runner } from '../attempt.ts';
import { timeoutFailure } from '../failure.ts';
import type { Outcome } from '../outcome.ts';

export const actionRunner: Runner = {
	run: async () => BEGUN,
	settleTimeout: ({ lease }) => ({ type: 'failure', failure: timeoutFailure(lease.options.timeoutSeconds) }),
};

const BEGUN: Outcome = {
	type: 'follow',
	terms: {
		following: { answers: 0, failures: 0, walk: START_OF_WALK },
		waitMs: 0,
		timeoutSeconds: ACTION_SECONDS,
	},
};
