/** Reads the responses of other services, as far as needed to understand them. */
import { isJson } from '../../core/http/media-type.ts';
import type { Answer } from '../../core/operation/answer.ts';
import { type ReadOptions, readText, responseMediaType } from '../body.ts';
import { parseResponseText } from '../document.ts';

export interface OperationAnswer {
	readonly answer: Answer;
	/**
	 * The caller's value, if this response is the result: JSON as a value, no body as `undefined`, anything else as the
	 * `Response`.
	 */
	readonly value: unknown;
}

/**
 * @param asked the request's URL, for platforms whose responses have none.
 * @throws {ProtocolError} for malformed JSON; the errors of {@link readText}.
 */
export async function operationAnswer(
	response: Response,
	asked: string,
	options: ReadOptions,
): Promise<OperationAnswer> {
	const { status, headers, redirected: isRedirected } = response;
	const value = await readValue(response, options);
	const body = value instanceof Response ? undefined : value;
	return { answer: { url: response.url || asked, status, headers, isRedirected, body }, value };
}

async function readValue(response: Response, options: ReadOptions): Promise<unknown> {
	if (!response.body) return undefined;
	const mediaType = responseMediaType(response);
	if (isJson(mediaType)) {
		const text = await readText(response, options);
		return text.trim() === '' ? undefined : parseResponseText(text);
	}
	return mediaType === '' ? guessed(response, options) : response;
}

/** A client may inspect a body without a media type (RFC 9110 §8.3), and many services send their JSON without one. */
async function guessed(response: Response, options: ReadOptions): Promise<unknown> {
	const text = await readText(response.clone(), options);
	if (text === '') return undefined;
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return response;
	}
}
