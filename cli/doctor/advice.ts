/** What to do about a finding, in the configuration and the environment that it is about. Pure. */
import { isOwnMember, type WranglerConfig } from '../configuration/config.ts';

/** A command line for the environment and the file that were chosen. @param command of wrangler or of Coatcheck. */
export function commandFor({ origin: { environment, path } }: WranglerConfig, command: string): string {
	const options = Object.entries({ config: path, env: environment });
	const chosen = options.flatMap(([name, value]) => (value === undefined ? [] : [` --${name} ${quoteWord(value)}`]));
	return `${command}${chosen.join('')}`;
}

/**
 * A line in its table, such as `limits: cpu_ms = 120000`. In an environment it is the environment's table, unless the environment
 * inherits the member from the top level.
 *
 * @param table of the configuration, or empty for the top level.
 */
export function settingFor(config: WranglerConfig, table: string, line: string): string {
	const { environment } = config.origin;
	const [member = ''] = (table || line).split(/[. ]/);
	const isOwn = environment !== undefined && isOwnMember(config, member);
	const place = [...(isOwn ? ['env', environment] : []), ...(table === '' ? [] : [table])].join('.');
	return place === '' ? line : `${place}: ${line}`;
}

/** `coatcheck init`, which adds to the top level. In an environment, the line that a person has to add there. */
export function additionFor(config: WranglerConfig, table: string, line: string): string {
	return config.origin.environment === undefined ? '`coatcheck init`' : settingFor(config, table, line);
}

function quoteWord(word: string): string {
	return /^[\w./@:-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
