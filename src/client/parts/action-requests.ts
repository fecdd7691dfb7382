/** The requests of bulk actions. */
import { isObject } from '../../core/http/json.ts';
import { retryAfterMs } from '../../core/operation/retry-after.ts';
import type { ActionDocument, ActionFilter, ActionName, ActionReference, ActionWaitOptions } from '../actions.ts';
import { isOver } from '../document.ts';
import { ProtocolError } from '../errors.ts';
import type { Http, Question } from '../http.ts';
import type { CallOptions } from '../job.ts';
import { httpUrl } from '../job-urls.ts';
import { unaborted, wait } from '../wait.ts';
import { nextWaitMs } from '../waiting.ts';

export class ActionRequests {
	readonly #http: Http;
	readonly #url: string;

	/** @param url of the actions, without a slash at the end. */
	constructor(http: Http, url: string) {
		this.#http = http;
		this.#url = url;
	}

	async create(
		action: ActionName,
		filter: ActionFilter,
		{ signal = unaborted() }: CallOptions,
	): Promise<ActionDocument> {
		const body = JSON.stringify({ action, filter });
		const headers = { 'content-type': 'application/json' };
		return parseAction(await this.#http.askJson({ url: this.#url, method: 'POST', headers, body, signal }));
	}

	async get(action: ActionReference, { signal = unaborted() }: CallOptions): Promise<ActionDocument> {
		return parseAction(await this.#http.askJson({ url: this.#urlOf(action), signal }));
	}

	async wait(
		action: ActionReference,
		{ signal = unaborted(), onProgress }: ActionWaitOptions,
	): Promise<ActionDocument> {
		const url = this.#urlOf(action);
		for (let quiet = 0, before = ''; ; ) {
			const { document, retryAfterMs: askedMs } = await this.#read({ url, signal });
			onProgress?.(document);
			if (isOver(document)) return document;
			quiet = document.lastUpdatedAt === before ? quiet + 1 : 0;
			before = document.lastUpdatedAt;
			await wait(nextWaitMs({ quiet, retryAfterMs: askedMs, random: Math.random() }), signal);
		}
	}

	async stop(action: ActionReference, { signal = unaborted() }: CallOptions): Promise<ActionDocument> {
		// The token in a link may only read: stopping takes the key.
		const url = new URL(this.#urlOf(action));
		url.searchParams.delete('token');
		return parseAction(await this.#http.askJson({ url: url.href, method: 'DELETE', signal }));
	}

	#read(question: Question): Promise<{ readonly document: ActionDocument; readonly retryAfterMs: number | undefined }> {
		return this.#http.ask(question, async (response) => {
			const document = parseAction(await this.#http.json(response, question.signal));
			return { document, retryAfterMs: retryAfterMs(response.headers.get('retry-after'), Date.now()) };
		});
	}

	/** @throws {TypeError} for what is neither an id nor a URL. */
	#urlOf(action: ActionReference): string {
		if (typeof action === 'object' && 'links' in action) return action.links.self;
		if (/^[0-9a-f]{64}$/.test(String(action))) return `${this.#url}/${action}`;
		return httpUrl(action).href;
	}
}

/** @throws {ProtocolError} when the value is not an action. */
function parseAction(value: unknown): ActionDocument {
	const isAction = isObject(value) && typeof value.id === 'string' && Number.isSafeInteger(value.done);
	if (isAction && typeof value.status === 'string') return value as unknown as ActionDocument;
	throw new ProtocolError('Expected an action with an id, a status and counts');
}
