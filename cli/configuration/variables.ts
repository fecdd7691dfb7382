/** The file `.dev.vars`, in the form that wrangler reads. Pure. */
import { parseEnv } from 'node:util';

/** The variables of local development, and the file that has them. */
export interface LocalVariables {
	readonly file: string;
	readonly values: Readonly<Record<string, string | undefined>>;
}

/** The files of local variables. Wrangler reads the first that is there, and no other. */
export function variableFiles(environment: string | undefined): string[] {
	return environment === undefined ? ['.dev.vars'] : [`.dev.vars.${environment}`, '.dev.vars'];
}

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
