/** Writes log lines for operators: one JSON object a line. They never contain payloads, tokens or keys. */

import { AsyncLocalStorage } from 'node:async_hooks';
import { defined } from './core/defined.ts';

/** The facts in every log line of one request or attempt. */
export interface LogContext {
	readonly correlationId: string;
}

const contexts = new AsyncLocalStorage<LogContext>();

/** Runs `work`. All its log lines contain the context's facts, including those of background work that it starts. */
export function withLogContext<T>(context: LogContext, work: () => T): T {
	return contexts.run(context, work);
}

/** Maximum length of a logged text. It is cut before it is searched for secrets, so that a long text costs little time. */
const MAX_TEXT_CHARS = 2_000;
/** Maximum number of ids that a caller puts into one line. */
export const LOGGED_IDS = 10;

/** Logs an error for operators. Clients never see these details. */
export function logError(message: string, facts: Readonly<Record<string, unknown>>): void {
	const { correlationId } = contexts.getStore() ?? {};
	const logged = facts.error === undefined ? {} : loggedError(facts.error);
	// JSON leaves out a correlation id that is undefined.
	const line = { level: 'error', message, correlationId, ...facts, ...logged };
	console.error(JSON.stringify(line, (_, value: unknown) => (typeof value === 'string' ? redacted(value) : value)));
}

function loggedError(error: unknown): { error: string; stack?: string } {
	if (!(error instanceof Error)) return { error: String(error) };
	const message = `${error.name}: ${safeMessage(error)}`;
	const frames = stackFrames(error);
	return defined({ error: message, stack: frames || undefined });
}

/** Removes quotes from the messages of `JSON.parse`, because they contain payload. */
function safeMessage({ name, message }: Error): string {
	return name === 'SyntaxError' ? message.replace(/["'`].*/s, '…') : message;
}

/** The stack's frames, without the message at its beginning. */
function stackFrames({ stack }: Error): string | undefined {
	return stack?.match(/^ {1,8}at .*$/gm)?.join('\n');
}

/** Secrets to redact from all texts. Libraries put URLs and headers into error messages. */
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
	return SECRETS.reduce((kept, [secret, instead]) => kept.replace(secret, instead), truncateText(text));
}

/** Cuts between two words if possible, because half a secret might not be recognized. */
function truncateText(text: string): string {
	if (text.length <= MAX_TEXT_CHARS) return text;
	const lastSpace = text.lastIndexOf(' ', MAX_TEXT_CHARS);
	return `${text.slice(0, lastSpace > MAX_TEXT_CHARS / 2 ? lastSpace : MAX_TEXT_CHARS)} …`;
}
