/** From what zod found wrong to what a client is told: where in its request, and what was wanted. */
import type { z } from 'zod';
import type { Fault } from './problem.ts';

type Path = readonly PropertyKey[];

/** As many faults are told at once; a body can have millions. */
const MAX_FAULTS = 20;
/** So long may a place or a message be. */
const MAX_SHOWN_CHARS = 300;

/** @param locate turns a path inside the checked value into the place the client knows. */
export function faultsOf(error: z.ZodError, locate: (path: Path, message: string) => Fault): Fault[] {
	const faults = error.issues.flatMap((issue) =>
		issue.code === 'unrecognized_keys'
			? issue.keys.map((key) => locate([...issue.path, key], 'is not known here'))
			: [locate(issue.path, issue.message)],
	);
	return faults.slice(0, MAX_FAULTS).map(cut);
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

function cut(fault: Fault): Fault {
	const short = Object.entries(fault).map(([name, text]) => [
		name,
		text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text,
	]);
	return Object.fromEntries(short) as Fault;
}
