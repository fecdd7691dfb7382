/** `GET /v1/jobs/{id}/socket`: the job's events by WebSocket, straight from its object, which sleeps between them. */
import { cursorOf } from './cursor.ts';
import type { Exchange } from './exchange.ts';
import { openFeed } from './feed.ts';
import { Problem } from './problem.ts';

/** The only one that is answered: another that was offered may have carried the token (`auth.ts`), and is not said aloud. */
const SUBPROTOCOL = 'coatcheck.v1';
/** After the last event. */
const CLOSE_DONE = 1000;

export async function jobSocket(exchange: Exchange): Promise<Response> {
	const { request, url } = exchange;
	if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
		throw new Problem('UpgradeRequired', 'Open a WebSocket here', {
			headers: { upgrade: 'websocket', connection: 'upgrade' },
		});
	}
	const webSocket = (await openFeed(exchange, cursorOf(url))) ?? closedSocket();
	const offered = request.headers.get('sec-websocket-protocol')?.split(',') ?? [];
	const isOffered = offered.some((name) => name.trim() === SUBPROTOCOL);
	return new Response(null, {
		status: 101,
		webSocket,
		headers: {
			'x-correlation-id': exchange.correlation.correlationId,
			...(isOffered && { 'sec-websocket-protocol': SUBPROTOCOL }),
		},
	});
}

/** For a reader who has everything: a close is all that is left to tell. */
function closedSocket(): WebSocket {
	const { 0: client, 1: server } = new WebSocketPair();
	server.accept();
	server.close(CLOSE_DONE, 'the job is over');
	return client;
}
