/** Parses server-sent events from text in arbitrary chunks (WHATWG HTML §9.2.6). Pure, except for its state between chunks. */

const LINE_END = /\r\n|\n|\r/;

export class SseParser {
	/** The text after the last complete line. */
	#rest = '';
	#isFirst = true;
	#data: string[] = [];
	#retryMs: number | undefined;

	/** The server's reconnection time, in milliseconds; `undefined` until the server sends one. */
	get retryMs(): number | undefined {
		return this.#retryMs;
	}

	/** @returns the data of each message that is now complete. */
	push(text: string): string[] {
		const whole = this.#rest + (this.#isFirst ? text.replace(/^\uFEFF/, '') : text);
		if (text !== '') this.#isFirst = false;
		// The LF of a CRLF may be in the next chunk.
		const end = whole.endsWith('\r') ? whole.length - 1 : whole.length;
		const lines = whole.slice(0, end).split(LINE_END);
		this.#rest = (lines.pop() ?? '') + whole.slice(end);
		return lines.flatMap((line) => this.#take(line));
	}

	#take(line: string): string[] {
		if (line === '') return this.#message();
		const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
		if (field === 'data') this.#data.push(value);
		if (field === 'retry' && /^\d+$/.test(value)) this.#retryMs = Number(value);
		return [];
	}

	#message(): string[] {
		const data = this.#data;
		this.#data = [];
		return data.length === 0 ? [] : [data.join('\n')];
	}
}
