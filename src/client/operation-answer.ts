/** Answers of other services: read as far as it takes to know what they say, and no farther. */
import type { Answer } from '../lro/answer.ts';
import { isJson, mediaTypeOf, type ReadOptions, textOf } from './body.ts';
import { parsed } from './document.ts';

export interface OperationAnswer {
	readonly answer: Answer;
	/** What a caller gets, if this answer is the result: JSON as a value, nothing as `undefined`, anything else as it came. */
	readonly value: unknown;
}

/**
 * @param asked the URL, for platforms whose responses don't know it.
 * @throws {ProtocolError} for JSON that is none; as {@link textOf}.
 */
export async function operationAnswer(
	response: Response,
	asked: string,
	options: ReadOptions,
): Promise<OperationAnswer> {
	const { status, headers, redirected: isRedirected } = response;
	const value = await resultOf(response, options);
	const body = value instanceof Response ? undefined : value;
	return { answer: { url: response.url || asked, status, headers, isRedirected, body }, value };
}

async function resultOf(response: Response, options: ReadOptions): Promise<unknown> {
	if (!response.body) return undefined;
	const mediaType = mediaTypeOf(response);
	if (isJson(mediaType)) {
		const text = await textOf(response, options);
		return text.trim() === '' ? undefined : parsed(text);
	}
	return mediaType === '' ? guessed(response, options) : response;
}

/** A body without a media type may be looked into (RFC 9110 §8.3), and many services send their JSON so. */
async function guessed(response: Response, options: ReadOptions): Promise<unknown> {
	const text = await textOf(response.clone(), options);
	if (text === '') return undefined;
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return response;
	}
}
