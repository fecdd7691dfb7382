/**
 * `npm run another -- --name coatcheck-staging` writes `wrangler.coatcheck-staging.toml`, the configuration of a second deployment
 * in the same account. It has a Worker, queues and rate limits of its own.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { limiterNumber } from '../cli/configuration/additions.ts';

const USAGE = 'npm run another -- --name coatcheck-staging';
const CONFIG = new URL('../wrangler.toml', import.meta.url);
/** The prefix of the names in `wrangler.toml`. */
const FIRST = 'coatcheck';
/** A queue's name has at most 63 characters, and the longest ending here is `-dead-letters`. */
const NAME = /^[a-z][a-z0-9-]{0,48}[a-z0-9]$/;

async function main(): Promise<void> {
	if (process.argv.includes('--help')) return console.log(USAGE);
	const { name = '' } = parseArgs({ options: { name: { type: 'string' } } }).values;
	if (!NAME.test(name) || name === FIRST)
		throw new TypeError(
			`--name: expected 2 to 50 lower-case letters, digits and dashes, and not "${FIRST}", got: "${name}"`,
		);
	const file = `wrangler.${name}.toml`;
	const toml = another(await readFile(CONFIG, 'utf8'), name);
	// `wx` keeps an existing file, which may have been changed by hand.
	await writeFile(new URL(`../${file}`, import.meta.url), toml, { flag: 'wx' });
	console.log(`Wrote ${file}. Next steps:

  npx wrangler secret put API_KEYS --config ${file} < api-keys.json
  npx wrangler secret put SIGNING_KEYS --config ${file}
  npx wrangler deploy --config ${file}`);
}

/** Returns the configuration `toml` with another name. The bindings keep their names, because the code uses those. */
export function another(toml: string, name: string): string {
	return toml
		.replace(new RegExp(`^(name|queue|dead_letter_queue) = "${FIRST}(?=["-])`, 'gm'), `$1 = "${name}`)
		.replace(/^namespace_id = "(\d+)"/gm, (_, id: string) => `namespace_id = "${limiterNumber(name, id)}"`);
}

if (import.meta.main) {
	await main().catch((error: Error) => {
		console.error(error.message);
		process.exitCode = 1;
	});
}
