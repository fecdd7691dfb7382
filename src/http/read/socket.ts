/** `GET /v1/jobs/{id}/socket`: the job's events by WebSocket, directly from its object, which hibernates between them. */

import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import { readCursor } from './cursor.ts';
import { openFeed } from './feed.ts';

/** The only subprotocol in a response. Another one may carry the token (`auth.ts`), which must not be repeated. */
const SUBPROTOCOL = 'coatcheck.v1';
/** Close code after the last event. */
const CLOSE_DONE = 1000;

export async function jobSocket(context: RequestContext): Promise<Response> {
	const { request, url } = context;
	if (!isUpgrade(request)) {
		throw new Problem('UpgradeRequired', 'Expected a WebSocket handshake: open this URL with a WebSocket client', {
			headers: { upgrade: 'websocket', connection: 'upgrade' },
		});
	}
	return upgraded(context, (await openFeed(context, readCursor(url))) ?? closedSocket());
}

export function isUpgrade({ headers }: Request): boolean {
	return headers.get('upgrade')?.toLowerCase() === 'websocket';
}

/** The response to a handshake. */
export function upgraded({ request, correlation }: RequestContext, webSocket: WebSocket): Response {
	const offered = request.headers.get('sec-websocket-protocol')?.split(',') ?? [];
	const isOffered = offered.some((name) => name.trim() === SUBPROTOCOL);
	return new Response(null, {
		status: 101,
		webSocket,
		headers: {
			'x-correlation-id': correlation.correlationId,
			...(isOffered ? { 'sec-websocket-protocol': SUBPROTOCOL } : {}),
		},
	});
}

/** A socket that closes at once, for a reader that has the last event. */
function closedSocket(): WebSocket {
	const { 0: client, 1: server } = new WebSocketPair();
	server.accept();
	server.close(CLOSE_DONE, 'the job has finished');
	return client;
}
