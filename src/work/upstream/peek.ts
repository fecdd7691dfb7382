/** Reads a reply's body if it is short JSON, and returns a reply with the same bytes. */
import { defined } from '../../core/defined.ts';
import { essence, isJson } from '../../core/http/media-type.ts';
import type { Answer } from '../../core/operation/answer.ts';
import { MAX_PEEK_BYTES } from '../../core/upstream/limits.ts';
import { ConnectionLost } from './reply.ts';
import type { Answered } from './send.ts';

export interface Peeked extends Answered {
	readonly answer: Answer;
}

/** @throws {ConnectionLost} if the reply is interrupted. */
export async function peek(response: Response, url: string): Promise<Peeked> {
	const { status, headers, body } = response;
	if (!body || !isJson(essence(headers.get('content-type'))))
		return { response, url, answer: { url, status, headers } };
	const { pieces, isAll, reader } = await readBeginning(body);
	const value = isAll ? parsePieces(pieces) : undefined;
	// The same bytes again: those that were read, followed by the rest.
	const again = new Response(rejoin(pieces, reader), { status, headers });
	return { response: again, url, answer: defined({ url, status, headers, body: value }) };
}

async function readBeginning(body: ReadableStream) {
	const reader = (body as ReadableStream<Uint8Array>).getReader();
	const pieces: Uint8Array[] = [];
	for (let sizeBytes = 0; sizeBytes <= MAX_PEEK_BYTES; ) {
		const { done, value } = await reader.read().catch((cause: unknown) => {
			throw new ConnectionLost(cause);
		});
		if (done) return { pieces, isAll: true, reader };
		pieces.push(value);
		sizeBytes += value.byteLength;
	}
	return { pieces, isAll: false, reader };
}

function parsePieces(pieces: readonly Uint8Array[]): unknown {
	const decoder = new TextDecoder();
	const text = pieces.map((piece) => decoder.decode(piece, { stream: true })).join('') + decoder.decode();
	try {
		return JSON.parse(text) as unknown;
	} catch {
		return undefined;
	}
}

function rejoin(
	pieces: readonly Uint8Array[],
	reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
	let at = 0;
	return new ReadableStream<Uint8Array>({
		async pull(controller) {
			const piece = pieces[at++] ?? (await reader.read()).value;
			if (piece) controller.enqueue(piece);
			else controller.close();
		},
		cancel: (reason) => reader.cancel(reason),
	});
}
