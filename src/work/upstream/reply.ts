/** Stores an upstream's reply in the job: its status, the headers that may be replayed, and its bytes as they arrive. */
import { BAD_GATEWAY, STATUSES_WITHOUT_BODY } from '../../core/http/statuses.ts';
import type { Fence, StoredReply } from '../../core/job/record.ts';
import { ReplyProgress } from '../../core/upstream/progress.ts';
import { headHeaders, keptHeaders } from '../../core/upstream/reply-headers.ts';
import type { Jobs } from '../../rpc/jobs.ts';
import { upload } from '../../rpc/upload.ts';
import { type JobContext, TaskError } from '../task.ts';

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

/** The context of a forwarding attempt, as a task would see it. */
export type Attempt = Omit<JobContext, 'parameters'>;

export interface ReplyOptions {
	readonly jobs: Jobs;
	readonly job: Attempt;
	readonly fence: Fence;
	readonly maxBytes: number;
	/** When the request was sent; milliseconds since the epoch. */
	readonly sentAt: number;
	/** The reply's headers describe a body that is not sent, as for HEAD. */
	readonly isBodiless: boolean;
}

/** The default media type of a reply without `Content-Type` (RFC 9110 §8.3). */
const UNKNOWN_TYPE = 'application/octet-stream';

/**
 * @throws {ConnectionLost} if the reply is interrupted.
 * @throws {TooLarge} if the reply is too large.
 */
export async function storedReply(response: Response, url: string, options: ReplyOptions): Promise<StoredReply> {
	const { status, headers } = response;
	if (status < 200 || status > 599) {
		await discarded(response);
		throw new TaskError('UpstreamFailed', `The upstream responded with an invalid HTTP status: ${status}`, {
			retryable: false,
			status: BAD_GATEWAY,
		});
	}
	const kept = keptHeaders(headers, url);
	const head = { status, headers: options.isBodiless ? [...kept, ...headHeaders(headers)] : kept };
	if (!response.body || options.isBodiless || STATUSES_WITHOUT_BODY.has(status)) {
		await discarded(response);
		return head;
	}
	const mediaType = headers.get('content-type') ?? UNKNOWN_TYPE;
	const { jobs, job, fence, maxBytes, sentAt } = options;
	const body = await upload(jobs, job.id, watched(response, job, sentAt), { mediaType, maxBytes, fence });
	return { ...head, body };
}

/** Discards a reply. */
export async function discarded({ body }: Response): Promise<undefined> {
	await body?.cancel().catch(() => {
		// The connection was lost already.
	});
}

/** Yields the bytes as they arrive. If the total is known, the share that has arrived is the job's progress. */
async function* watched({ body, headers }: Response, job: Attempt, sentAt: number): AsyncGenerator<Uint8Array> {
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
				job.progress(percent, `received ${receivedBytes} of ${totalBytes} bytes`);
			}
			yield value;
		}
	} finally {
		// A consumer that stops early doesn't need the rest.
		await reader.cancel().catch(() => {});
	}
}
