/** Stores an upstream's reply in the job: its status, the headers that may be replayed, and its bytes as they arrive. */
import { STATUSES_WITHOUT_BODY } from '../../core/http/statuses.ts';
import type { StoredReply } from '../../core/job/record.ts';
import { ReplyProgress } from '../../core/upstream/progress.ts';
import { headHeaders, keptHeaders } from '../../core/upstream/reply-headers.ts';
import { upload } from '../../rpc/upload.ts';
import type { Attempt } from '../attempt.ts';
import { normalizeProgress, sendProgress } from '../progress.ts';
import { upstreamError } from './failure.ts';
import type { Forwarding } from './forwarding.ts';

/** The reply is missing or incomplete. The cause is logged and never shown to clients. */
export class ConnectionLost extends Error {
	override readonly name = 'ConnectionLost';
	/** The connection was to another origin than the upstream's own, after a redirect. */
	readonly isElsewhere: boolean;

	constructor(cause: unknown, isElsewhere = false) {
		super('The connection was lost', { cause });
		this.isElsewhere = isElsewhere;
	}
}

/** A reply to store. */
export interface ArrivingReply {
	readonly response: Response;
	/** The URL that it came from. */
	readonly url: string;
	/** When the request was sent; milliseconds since the epoch. */
	readonly sentAt: number;
}

/** The default media type of a reply without `Content-Type` (RFC 9110 §8.3). */
const UNKNOWN_TYPE = 'application/octet-stream';

/**
 * @throws {ConnectionLost} if the reply is interrupted.
 * @throws {TooLarge} if the reply is too large.
 */
export async function storeUpstreamReply(
	{ attempt, request }: Forwarding,
	{ response, url, sentAt }: ArrivingReply,
): Promise<StoredReply> {
	const { status, headers } = response;
	if (status < 200 || status > 599) {
		await discard(response);
		throw upstreamError(`The upstream responded with an invalid HTTP status: ${status}`);
	}
	const kept = keptHeaders(headers, url);
	// The headers of a reply to HEAD describe a body that is not sent.
	const isBodiless = request.method === 'HEAD';
	const head = { status, headers: isBodiless ? [...kept, ...headHeaders(headers)] : kept };
	if (!response.body || isBodiless || STATUSES_WITHOUT_BODY.has(status)) {
		await discard(response);
		return head;
	}
	const mediaType = headers.get('content-type') ?? UNKNOWN_TYPE;
	const { jobs, id, lease, dependencies } = attempt;
	const body = await upload(watchBytes(attempt, response, sentAt), {
		jobs,
		id,
		mediaType,
		maxBytes: dependencies.maxResultBytes,
		fence: lease.fence,
	});
	return { ...head, body };
}

/** Discards a reply. */
export async function discard({ body }: Response): Promise<undefined> {
	await body?.cancel().catch(() => {
		// The connection was lost already.
	});
}

/** Yields the bytes as they arrive. If the total is known, the share that has arrived is the job's progress. */
async function* watchBytes(attempt: Attempt, { body, headers }: Response, sentAt: number): AsyncGenerator<Uint8Array> {
	const totalBytes = headers.has('content-encoding') ? 0 : Number(headers.get('content-length') ?? 0);
	const progress = new ReplyProgress(sentAt, totalBytes);
	let receivedBytes = 0;
	const reader = (body as ReadableStream<Uint8Array>).getReader();
	try {
		while (true) {
			const { done, value } = await reader.read().catch((cause: unknown) => {
				throw new ConnectionLost(cause);
			});
			if (done) return;
			receivedBytes += value.byteLength;
			if (totalBytes > 0) {
				const percent = progress.percentAt(Date.now(), receivedBytes);
				const message = `received ${receivedBytes} of ${totalBytes} bytes`;
				sendProgress(attempt, normalizeProgress(percent, message));
			}
			yield value;
		}
	} finally {
		// A consumer that stops early doesn't need the rest.
		await reader.cancel().catch(() => {});
	}
}
