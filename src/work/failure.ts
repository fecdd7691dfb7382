/** Converts a failed attempt to the failure that is stored and shown. */
import { defined } from '../core/defined.ts';
import type { Failure } from '../core/job/lifecycle.ts';
import { ERROR_CODE_CHARS, ERROR_DETAILS_BYTES, ERROR_MESSAGE_CHARS } from '../core/job/limits.ts';
import { plainJson } from './plain-json.ts';
import { TaskError } from './task.ts';

const CODE = new RegExp(`^[A-Za-z][A-Za-z0-9._-]{0,${ERROR_CODE_CHARS - 1}}$`);
const GATEWAY_TIMEOUT = 504;
const INTERNAL = 500;

/**
 * A `TaskError` is meant for the client, and is shown unchanged. Any other error is private: it is logged, and the client
 * sees only that the task failed.
 */
export function failureFrom(error: unknown): Failure {
	if (!(error instanceof TaskError)) {
		return { error: { code: 'TaskFailed', message: 'The task failed', retryable: true }, status: INTERNAL };
	}
	const { code, message, retryable, status, details } = error;
	const kept = plainJson(details, ERROR_DETAILS_BYTES);
	const isStatus = Number.isInteger(status) && status >= 400 && status <= 599;
	return {
		error: defined({
			code: CODE.test(code) ? code : 'TaskFailed',
			message: message.slice(0, ERROR_MESSAGE_CHARS),
			retryable,
			details: Array.isArray(kept) ? kept : undefined,
		}),
		status: isStatus ? status : INTERNAL,
	};
}

/** The failure of an attempt that timed out. */
export function timeoutFailure(timeoutSeconds: number): Failure {
	const message = `The attempt did not finish within ${timeoutSeconds} s`;
	return { error: { code: 'ExecutionTimeout', message, retryable: true }, status: GATEWAY_TIMEOUT, phase: 'timed-out' };
}
