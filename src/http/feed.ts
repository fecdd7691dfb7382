/**
 * A job's events as its object tells them, over a hibernating socket that is opened for one reader. A WebSocket client is
 * handed the socket itself; for every other transport it ends here in the Worker, where waiting costs nothing.
 */
import { MS_PER_HOUR } from '../job/limits.ts';
import { tokenFor } from './auth.ts';
import { type Exchange, jobIdOf, missing, originOf } from './exchange.ts';

/** Links told over a socket that came without a token work this long: the job's own end is not known before it is asked. */
const FEED_TOKEN_MS = 7 * 24 * MS_PER_HOUR;

/**
 * @param after the `seq` of the last event the reader has; left out for a snapshot first.
 * @returns `undefined` when there is nothing after the cursor and never will be.
 * @throws {Problem} for a job that is not there (any more).
 */
export async function openFeed(exchange: Exchange, after: number | undefined): Promise<WebSocket | undefined> {
	const { jobs, principal, config } = exchange;
	const id = jobIdOf(exchange);
	const token = await tokenFor(principal, id, Date.now() + FEED_TOKEN_MS, config);
	const base = {
		origin: originOf(exchange),
		mayCancel: principal.scopes.has('cancel'),
		...(token !== undefined && { token }),
	};
	const answer = await jobs.connect(id, after === undefined ? '/watch' : `/watch?after=${after}`, {
		'coatcheck-reader': JSON.stringify({ tenant: principal.tenant, base }),
	});
	if (answer.webSocket) return answer.webSocket;
	if (answer.status === 204) return undefined;
	throw missing(refusalOf(answer), principal);
}

function refusalOf({ status, headers }: Response): Parameters<typeof missing>[0] {
	if (status !== 410) return { found: 'nothing' };
	return { found: 'tombstone', reason: headers.get('coatcheck-reason') === 'purged' ? 'purged' : 'expired' };
}
