/** The file `.dev.vars`, in the form that wrangler reads. Pure. */
import { parseEnv } from 'node:util';

/** The variables of the file. */
export function parseVariables(text: string): Readonly<Record<string, string | undefined>> {
	return parseEnv(text);
}

/** The variables that local development needs. */
export interface LocalSecrets {
	readonly signingKeys: string;
	readonly webhookSecret: string;
}

/** The lines that the file lacks. */
export function missingVariables(text: string, { signingKeys, webhookSecret }: LocalSecrets): string[] {
	const wanted = {
		AUTH: '"none"',
		ALLOW_PRIVATE_TARGETS: '"true"',
		SIGNING_KEYS: `'${signingKeys}'`,
		WEBHOOK_SECRETS: `'${JSON.stringify([webhookSecret])}'`,
	};
	const given = parseVariables(text);
	// Keys and AUTH=none contradict each other.
	const isKeyed = given.API_KEYS !== undefined || given.JWT_ISSUER !== undefined;
	return Object.entries(wanted)
		.filter(([name]) => given[name] === undefined && !(name === 'AUTH' && isKeyed))
		.map(([name, value]) => `${name}=${value}`);
}
