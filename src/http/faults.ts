/** From what zod found wrong to what a client is told: where in its request, and what was wanted. */
import type { z } from 'zod';
import { type Fault, MAX_FAULTS } from './problem.ts';

type Path = readonly PropertyKey[];

/** @param locate turns a path inside the checked value into the place the client knows. */
export function faultsOf(error: z.ZodError, locate: (path: Path, message: string) => Fault): Fault[] {
	// A body can have millions: no more are looked at than are told.
	const faults = error.issues
		.slice(0, MAX_FAULTS)
		.flatMap((issue) =>
			issue.code === 'unrecognized_keys'
				? issue.keys.slice(0, MAX_FAULTS).map((key) => locate([...issue.path, key], 'is not known here'))
				: [locate(issue.path, issue.message)],
		);
	return faults.slice(0, MAX_FAULTS);
}

/** Faults in a JSON body: JSON Pointers (RFC 6901) below `prefix`. */
export function inBody(prefix = ''): (path: Path, message: string) => Fault {
	return (path, message) => ({ pointer: prefix + path.map((key) => `/${escaped(String(key))}`).join(''), message });
}

/** Faults in the query. */
export function inQuery(path: Path, message: string): Fault {
	return { parameter: String(path[0] ?? ''), message };
}

function escaped(key: string): string {
	return key.replaceAll('~', '~0').replaceAll('/', '~1');
}
