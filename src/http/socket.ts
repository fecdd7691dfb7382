/** `GET /v1/jobs/{id}/socket`: the job's events by WebSocket, straight from its object, which sleeps between them. */

import { tokenFor } from './auth.ts';
import { cursorOf } from './events.ts';
import { type Exchange, jobIdOf, missing, originOf } from './exchange.ts';
import { Problem } from './problem.ts';

export const SUBPROTOCOL = 'coatcheck.v1';

export async function jobSocket(exchange: Exchange): Promise<Response> {
	const { request, url, jobs, principal } = exchange;
	const id = jobIdOf(exchange);
	if (request.headers.get('upgrade')?.toLowerCase() !== 'websocket') {
		throw new Problem('UpgradeRequired', 'Open a WebSocket here', {
			headers: { upgrade: 'websocket', connection: 'upgrade' },
		});
	}
	const after = cursorOf(url);
	const answer = await jobs.connect(id, `/watch${after === undefined ? '' : `?after=${after}`}`, {
		'coatcheck-reader': JSON.stringify({ tenant: principal.tenant, base: await readerOf(exchange, id) }),
	});
	if (!answer.webSocket) throw missing(refusalOf(answer), principal);
	const isOffered = request.headers
		.get('sec-websocket-protocol')
		?.split(',')
		.some((name) => name.trim() === SUBPROTOCOL);
	return new Response(null, {
		status: 101,
		webSocket: answer.webSocket,
		...(isOffered && { headers: { 'sec-websocket-protocol': SUBPROTOCOL } }),
	});
}

/** What the object needs to build this reader's links. */
async function readerOf(exchange: Exchange, id: string) {
	const { principal, config } = exchange;
	const token = await tokenFor(principal, id, Date.now() + SOCKET_TOKEN_MS, config);
	return {
		origin: originOf(exchange),
		mayCancel: principal.scopes.has('cancel'),
		...(token !== undefined && { token }),
	};
}

/** Links told over a socket that came without a token work this long: the job's own end is not known before it is asked. */
const SOCKET_TOKEN_MS = 24 * 60 * 60 * 1_000;

function refusalOf({ status, headers }: Response): Parameters<typeof missing>[0] {
	if (status !== 410) return { found: 'nothing' };
	return { found: 'tombstone', reason: headers.get('coatcheck-reason') === 'purged' ? 'purged' : 'expired' };
}
