/** An upstream's reply on its way into the job: its status, the headers that may be replayed, and its bytes as they come in. */
import type { Fence, StoredReply } from '../../job/record.ts';
import type { Jobs } from '../../rpc/jobs.ts';
import { upload } from '../../rpc/upload.ts';
import { ReplyProgress } from '../../upstream/progress.ts';
import { headHeaders, keptHeaders } from '../../upstream/reply-headers.ts';
import { type JobContext, TaskError } from '../task.ts';

/** There is no reply, or it broke off. The cause is for the log: it is nobody's business outside. */
export class ConnectionLost extends Error {
	override readonly name = 'ConnectionLost';
	/** It was to another origin than the upstream's own, where a redirect led. */
	readonly isElsewhere: boolean;

	constructor(cause: unknown, isElsewhere = false) {
		super('The connection was lost', { cause });
		this.isElsewhere = isElsewhere;
	}
}

/** The attempt that forwards, as a task would know it. */
export type Attempt = Omit<JobContext, 'parameters'>;

export interface ReplyOptions {
	readonly jobs: Jobs;
	readonly job: Attempt;
	readonly fence: Fence;
	readonly maxBytes: number;
	/** When the request was sent; milliseconds since the epoch. */
	readonly sentAt: number;
	/** The reply tells of a body, and has none. */
	readonly isBodiless: boolean;
}

/** Statuses that come without a body (RFC 9110 §6.4.1), and that `Response` refuses one for. */
const WITHOUT_BODY: ReadonlySet<number> = new Set([204, 205, 304]);
/** RFC 9110 §8.3: what bytes are that nobody says anything of. */
const UNKNOWN_TYPE = 'application/octet-stream';
const BAD_GATEWAY = 502;

/**
 * @throws {ConnectionLost} when the reply breaks off.
 * @throws {TooLarge} when there is too much of it.
 */
export async function storedReply(response: Response, url: string, options: ReplyOptions): Promise<StoredReply> {
	const { status, headers } = response;
	if (status < 200 || status > 599) {
		await discarded(response);
		throw new TaskError('UpstreamFailed', `The upstream answered ${status}, which is not a status of HTTP`, {
			retryable: false,
			status: BAD_GATEWAY,
		});
	}
	const kept = keptHeaders(headers, url);
	const head = { status, headers: options.isBodiless ? [...kept, ...headHeaders(headers)] : kept };
	if (!response.body || options.isBodiless || WITHOUT_BODY.has(status)) {
		await discarded(response);
		return head;
	}
	const mediaType = headers.get('content-type') ?? UNKNOWN_TYPE;
	const { jobs, job, fence, maxBytes, sentAt } = options;
	const body = await upload(jobs, job.id, watched(response, job, sentAt), { mediaType, maxBytes, fence });
	return { ...head, body };
}

/** Lets go of a reply that nobody wants. */
export async function discarded({ body }: Response): Promise<undefined> {
	await body?.cancel().catch(() => {
		// It has broken off by itself.
	});
}

/** The bytes as they come in; how far they are is the job's progress, when it is known how many there will be. */
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
		// Whoever stops in the middle doesn't want the rest.
		await reader.cancel().catch(() => {});
	}
}
