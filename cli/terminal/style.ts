/** Colours for a terminal, and none for pipes, files and `NO_COLOR` (https://no-color.org). */
import { styleText } from 'node:util';

type Format = Parameters<typeof styleText>[0];
export type Style = (format: Format, text: string) => string;

export const PLAIN: Style = (_, text) => text;
const COLOURED: Style = (format, text) => styleText(format, text, { validateStream: false });

/** The stream's properties that decide. */
export interface StreamFacts {
	readonly isTTY?: boolean | undefined;
	readonly columns?: number | undefined;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/** Whether the stream is a terminal that shows colours and moves its cursor. */
export function isLive({ isTTY }: StreamFacts, { NO_COLOR = '', TERM }: Environment): boolean {
	return isTTY === true && NO_COLOR === '' && TERM !== 'dumb';
}

export function styleFor(stream: StreamFacts, environment: Environment): Style {
	return isLive(stream, environment) ? COLOURED : PLAIN;
}

/** A text of a task or a publisher, without the control characters that would change the terminal. */
export function visible(text: string): string {
	return text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ');
}
