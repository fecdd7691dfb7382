/** Converts zod issues to faults for the client: the position in its request, and the expected value. */
import type * as z from 'zod';
import { issueMessage } from '../core/issue-message.ts';
import { type Fault, MAX_FAULTS } from './problem.ts';

type Path = readonly PropertyKey[];

/** @param locate converts a path in the checked value to a position in the request. */
export function zodFaults(error: z.ZodError, locate: (path: Path, message: string) => Fault): Fault[] {
	// A body can have millions of faults: process only as many as the response contains.
	const faults = error.issues
		.slice(0, MAX_FAULTS)
		.flatMap((issue) =>
			issue.code === 'unrecognized_keys'
				? issue.keys.slice(0, MAX_FAULTS).map((key) => locate([...issue.path, key], 'unknown field'))
				: [locate(issue.path, issueMessage(issue))],
		);
	return faults.slice(0, MAX_FAULTS);
}

/** Faults in a JSON body: JSON Pointers (RFC 6901) below `prefix`. */
export function inBody(prefix = ''): (path: Path, message: string) => Fault {
	return (path, message) => ({ pointer: prefix + pointerFor(path), message });
}

/** A path as a JSON Pointer (RFC 6901). */
export function pointerFor(path: Path): string {
	return path.map((key) => `/${escaped(String(key))}`).join('');
}

/** Faults in the query. */
export function inQuery(path: Path, message: string): Fault {
	return { parameter: String(path[0] ?? ''), message };
}

function escaped(key: string): string {
	return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
