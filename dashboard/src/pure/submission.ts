/** The parts of a submission as a form has them. */
import type { Values } from './schema-form.ts';

/** The options that the form offers, each with its header. */
export const OPTIONS = [
	['Idempotency-Key', 'Idempotency key', 'The same key and input return the same job.'],
	['X-Correlation-ID', 'Correlation id', 'Made up when it is empty.'],
	['Coatcheck-Tags', 'Tags', 'Up to 10, separated by commas.'],
	['Coatcheck-Delay-Seconds', 'Delay in seconds', 'The job starts no earlier.'],
	['Coatcheck-Max-Attempts', 'Maximum number of attempts', "The task's own when it is empty."],
	['Coatcheck-Webhook-Url', 'Webhook URL', 'Is told when the job ends.'],
] as const;

/** The fields of a group: their names begin with it. */
export function readValues(data: Iterable<readonly [string, FormDataEntryValue]>, group: string): Values {
	const values: Record<string, string> = {};
	for (const [name, value] of data)
		if (name.startsWith(`${group}:`) && typeof value === 'string') values[name.slice(group.length + 1)] = value;
	return values;
}

export function parametersQuery(values: Values): URLSearchParams {
	return new URLSearchParams(Object.entries(values).filter(([, value]) => value !== ''));
}

export function optionHeaders(values: Values): Record<string, string> {
	const filled = Object.entries(values).map(([name, value]) => [name, value.trim()] as const);
	return Object.fromEntries(filled.filter(([, value]) => value !== ''));
}

/** An idempotency key of 128 random bits, quoted as its header requires. */
export function newKey(): string {
	const bytes = crypto.getRandomValues(new Uint8Array(16));
	return `"${Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')}"`;
}
