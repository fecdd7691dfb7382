/** Log lines: JSON, one a line, for whoever is on call. Never a payload, a token or a key. */

/** Something went wrong that no client is told about in these words. */
export function logError(message: string, facts: Readonly<Record<string, unknown>>): void {
	console.error(
		JSON.stringify({ level: 'error', message, ...facts, ...(facts.error !== undefined && errorOf(facts.error)) }),
	);
}

function errorOf(error: unknown): { error: string; stack?: string } {
	if (!(error instanceof Error)) return { error: String(error) };
	return { error: `${error.name}: ${error.message}`, ...(error.stack && { stack: error.stack }) };
}
