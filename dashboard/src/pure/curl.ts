/** Command lines that work when they are pasted into a POSIX shell. */

/** Where a command line takes its key from. It is never in the line itself. */
export const KEY_VARIABLE = '$COATCHECK_API_KEY';

export interface CurlRequest {
	readonly method: string;
	readonly url: string;
	/** Without the key. */
	readonly headers?: readonly (readonly [name: string, value: string])[];
	readonly body?: string;
	/** Options of curl, such as `-N`. */
	readonly options?: readonly string[];
	/** Whether the deployment asks for a key. */
	readonly needsKey: boolean;
}

/** One line. `-i` shows the headers, and `-sS` hides only the progress. */
export function curlLine({ method, url, headers = [], body, options = [], needsKey }: CurlRequest): string {
	const usual = body === undefined ? 'GET' : 'POST';
	const parts = ['curl -sS -i', ...options];
	if (method !== usual) parts.push(`-X ${method}`);
	// Double quotes, so that the shell fills in the variable.
	if (needsKey) parts.push(`-H "Authorization: Bearer ${KEY_VARIABLE}"`);
	for (const [name, value] of headers) parts.push(`-H ${quoteForShell(`${name}: ${value}`)}`);
	if (body !== undefined) parts.push(`--data-binary ${quoteForShell(body)}`);
	return [...parts, quoteForShell(url)].join(' ');
}

export function quoteForShell(text: string): string {
	return `'${text.replaceAll("'", "'\\''")}'`;
}
