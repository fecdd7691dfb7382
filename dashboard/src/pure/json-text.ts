/** JSON as text. Numbers are never parsed, so that 9007199254740993 stays what was sent. */

const INDENT = '  ';
/** A string, a mark, or anything else up to the next mark. */
const TOKEN = /"(?:[^"\\]|\\.)*"|[{}[\],:]|[^\s{}[\],:"]+/g;

/** Indents JSON, and keeps every string and number as it is written. Returns text that is not JSON unchanged. */
export function prettyJson(text: string): string {
	if (!isJson(text)) return text;
	let depth = 0;
	let pretty = '';
	const line = () => `\n${INDENT.repeat(depth)}`;
	const tokens = text.match(TOKEN) ?? [];
	for (const [index, token] of tokens.entries()) {
		const isEmptyPair = token === '{' ? tokens[index + 1] === '}' : token === '[' && tokens[index + 1] === ']';
		const closesEmptyPair =
			(token === '}' || token === ']') && (tokens[index - 1] === '{' || tokens[index - 1] === '[');
		if (isEmptyPair || closesEmptyPair) pretty += token;
		else if (token === '{' || token === '[') {
			depth++;
			pretty += token + line();
		} else if (token === '}' || token === ']') {
			depth--;
			pretty += line() + token;
		} else if (token === ',') pretty += token + line();
		else pretty += token === ':' ? ': ' : token;
	}
	return pretty;
}

export function isJson(text: string): boolean {
	try {
		JSON.parse(text);
		return true;
	} catch {
		return false;
	}
}

/** Hides what lets its reader act: tokens of links, and secrets of webhooks. */
export function hideSecrets(text: string): string {
	return text.replace(/\btoken=[^&\s"'<>\\]+/g, 'token=•••').replace(/\bwhsec_[A-Za-z0-9+/=]+/g, 'whsec_•••');
}
