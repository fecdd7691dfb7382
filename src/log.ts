/** Log lines: JSON, one a line, for whoever is on call. Never a payload, a token or a key. */

import { AsyncLocalStorage } from 'node:async_hooks';

/** The facts that every log line of one request or one attempt has. */
export interface LogContext {
	readonly correlationId: string;
}

const contexts = new AsyncLocalStorage<LogContext>();

/** Runs `work`. Its log lines have the context's facts, and so have those of all that it starts and doesn't wait for. */
export function withLogContext<T>(context: LogContext, work: () => T): T {
	return contexts.run(context, work);
}

/** So much is logged of one text. It is cut before it is searched, so that nobody's long text keeps the Worker searching. */
const MAX_TEXT_CHARS = 2_000;

/** Something went wrong that no client is told about in these words. */
export function logError(message: string, facts: Readonly<Record<string, unknown>>): void {
	const { correlationId } = contexts.getStore() ?? {};
	const line = {
		level: 'error',
		message,
		...(correlationId !== undefined && { correlationId }),
		...facts,
		...(facts.error !== undefined && errorOf(facts.error)),
	};
	console.error(JSON.stringify(line, (_, value: unknown) => (typeof value === 'string' ? redacted(value) : value)));
}

function errorOf(error: unknown): { error: string; stack?: string } {
	if (!(error instanceof Error)) return { error: String(error) };
	const message = `${error.name}: ${messageOf(error)}`;
	const frames = framesOf(error);
	return { error: message, ...(frames && { stack: frames }) };
}

/** `JSON.parse` quotes what it could not read, and that is somebody's payload. */
function messageOf({ name, message }: Error): string {
	return name === 'SyntaxError' ? message.replace(/["'`].*/s, '…') : message;
}

/** Where it happened, without the message that a stack begins with. */
function framesOf({ stack }: Error): string | undefined {
	return stack?.match(/^ {1,8}at .*$/gm)?.join('\n');
}

/** What must not be in a log, wherever it comes from: others put URLs and headers into their errors' messages. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
	// Queries carry tokens, and the part before an @ carries passwords.
	[/\b([a-z][a-z0-9+.-]{0,31}:\/\/)[^\s"'/?#@]*@/gi, '$1…@'],
	[/\b((?:https?|wss?):\/\/[^\s"'?#]*)[?#][^\s"']*/gi, '$1?…'],
	[/([?&]token=)[^\s"'&#]*/gi, '$1…'],
	[/\beyJ[\w-]+\.[\w-]+\.[\w-]*/g, '(token)'],
	[/\bbearer\s+[^\s"',]+/gi, 'Bearer …'],
	[/\b(ck|whsec)_[\w+/=-]{16,}/g, '$1_…'],
];

function redacted(text: string): string {
	return SECRETS.reduce((kept, [secret, instead]) => kept.replace(secret, instead), cut(text));
}

/** Between two words, where there are words: half a secret might not be known for one. */
function cut(text: string): string {
	if (text.length <= MAX_TEXT_CHARS) return text;
	const lastSpace = text.lastIndexOf(' ', MAX_TEXT_CHARS);
	return `${text.slice(0, lastSpace > MAX_TEXT_CHARS / 2 ? lastSpace : MAX_TEXT_CHARS)} …`;
}
