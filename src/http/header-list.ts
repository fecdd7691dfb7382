/**
 * Parses header fields that are lists of items with parameters: `Accept` (RFC 9110 §12.5.1) and `Prefer` (RFC 7240 §2). Their
 * grammars differ only in the characters of an item's name. Malformed items are skipped. Pure.
 *
 * `structured-headers` can't parse them: it rejects upper-case names and white space around "=", which both fields allow.
 */

export interface ListItem {
	/** A media range, or the name of a preference; lower case. */
	readonly name: string;
	/** The value after the item's own "=", without quotes; empty if there is none. */
	readonly value: string;
	/** By lower-case name. The first parameter of a name wins. */
	readonly parameters: ReadonlyMap<string, string>;
}

/** A comma, a semicolon, or text between them. A quoted string is never split; without a closing quote, it takes the rest. */
const PIECES = /[,;]|(?:"(?:[^"\\]|\\.|\\$)*(?:"|$)|[^",;])+/g;
const NAME = /^[!#$%&'*+.^_`|~0-9a-z/-]+$/i;
const QUOTED = /^"((?:[^"\\]|\\.)*)"$/;
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z/:-]*$/i;

export function parseHeaderList(text: string | null): ListItem[] {
	return splitAt(',', text?.match(PIECES) ?? []).flatMap((pieces) => {
		const [head, ...rest] = splitAt(';', pieces).map((piece) => parsePair(piece.join('')));
		if (!head) return [];
		const parameters = new Map<string, string>();
		for (const pair of rest) if (pair && !parameters.has(pair.name)) parameters.set(pair.name, pair.value);
		return [{ ...head, parameters }];
	});
}

function parsePair(text: string): Pick<ListItem, 'name' | 'value'> | undefined {
	const equals = text.indexOf('=');
	const name = (equals < 0 ? text : text.slice(0, equals)).trim().toLowerCase();
	const value = equals < 0 ? '' : text.slice(equals + 1).trim();
	if (!NAME.test(name)) return undefined;
	const quoted = QUOTED.exec(value)?.[1];
	if (quoted !== undefined) return { name, value: quoted.replace(/\\(.)/g, '$1') };
	return TOKEN.test(value) ? { name, value } : undefined;
}

function splitAt(separator: string, pieces: readonly string[]): string[][] {
	const groups: string[][] = [[]];
	for (const piece of pieces) {
		if (piece === separator) groups.push([]);
		else groups.at(-1)?.push(piece);
	}
	return groups;
}
