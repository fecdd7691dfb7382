import { NotConfigured } from '../config/not-configured.ts';
import { logError } from '../log.ts';
import { isTransientFailure } from '../rpc/retry-transient.ts';
import type { Principal } from './access/auth.ts';
import { Problem } from './problem.ts';

/** The problem for the client. Details of unexpected errors go only to the log. */
export function toProblem(error: unknown, request: Request, principal?: Principal): Problem {
	if (error instanceof Problem) return error;
	if (error instanceof NotConfigured) {
		logError(error.message, { variables: error.variables });
		const detail = `The deployment is not configured: check ${error.variables.join(', ')}, and read its log for the reason`;
		return new Problem('NotConfigured', detail);
	}
	const who = principal?.name === undefined ? {} : { principal: principal.name };
	logError('request failed', { method: request.method, path: new URL(request.url).pathname, ...who, error });
	return isTransientFailure(error)
		? new Problem('Overloaded', 'The service is overloaded: try again later')
		: new Problem('Internal', 'An unexpected error occurred: send the correlation id to the operator');
}
