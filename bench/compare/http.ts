/** Sends requests with a minimal client, because its cost is added to the times of every contender. */
import { Agent, type OutgoingHttpHeaders, request } from 'node:http';

/** More than are ever in flight. */
const MAX_SOCKETS = 256;

const agent = new Agent({ keepAlive: true, maxSockets: MAX_SOCKETS });

export interface Call {
	readonly method: 'GET' | 'POST';
	readonly url: string;
	readonly headers?: OutgoingHttpHeaders;
	readonly body?: Uint8Array;
}

export interface Answer {
	readonly status: number;
	readonly bytes: Buffer;
}

export async function send(call: Call): Promise<Answer> {
	try {
		return await sendOnce(call);
	} catch (error) {
		// A server may have closed a kept-alive connection just before it was used again.
		if (!(error instanceof ClosedMeanwhile)) throw error;
		return sendOnce(call);
	}
}

class ClosedMeanwhile extends Error {}

function sendOnce({ method, url, headers = {}, body }: Call): Promise<Answer> {
	return new Promise((resolve, reject) => {
		const length = body ? { 'content-length': body.byteLength } : {};
		const sent = request(url, { method, agent, headers: { ...headers, ...length } }, (response) => {
			const pieces: Buffer[] = [];
			response.on('data', (piece: Buffer) => pieces.push(piece));
			response.on('end', () => resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(pieces) }));
			response.on('error', reject);
		});
		sent.on('error', (error: NodeJS.ErrnoException) =>
			reject(sent.reusedSocket && error.code === 'ECONNRESET' ? new ClosedMeanwhile(error.message) : error),
		);
		sent.end(body);
	});
}

export async function sendForJson<T>(call: Call, expected: number): Promise<T> {
	const { status, bytes } = await send(call);
	if (status !== expected) throw new Error(`${call.method} ${call.url}: expected ${expected}, got ${status}: ${bytes}`);
	return JSON.parse(bytes.toString()) as T;
}

/** Closes the connections to servers that stop. */
export function hangUp(): void {
	agent.destroy();
}
