/** A job's HTTP as it is on the wire. Nothing here is sent: it says what to ask, and what can't be asked again. */
import type { JobEvent, StatusDocument } from '../../../src/client/index.ts';
import { type CurlRequest, curlLine } from './curl.ts';
import { isFinished } from './job-event.ts';
import { hideSecrets, prettyJson } from './json-text.ts';

export type Headers = readonly (readonly [name: string, value: string])[];

/** How the page knows what it shows. */
export type Evidence = 'made just now' | 'reconstructed' | 'not sent';

export interface Exchange {
	readonly title: string;
	readonly evidence: Evidence;
	/** What the page does not know, or what the reader should know. */
	readonly note?: string;
	/** The request as text. */
	readonly request: string;
	/** The response as text; left out for what was not sent. */
	readonly response?: string;
	/** Left out for what only the service can send. */
	readonly curl?: string;
}

/** A response as far as a page may read it. */
export interface Answer {
	readonly status: number;
	readonly headers: Headers;
	readonly body: string;
	/** Whether the body goes on. */
	readonly isCut?: boolean;
	/** Where redirects led; left out without one. */
	readonly redirectedTo?: string;
}

/** A request that the page makes to show its answer. */
export interface Question {
	readonly title: string;
	readonly method: 'GET' | 'HEAD';
	readonly path: string;
	readonly headers: Headers;
	readonly options?: readonly string[];
	readonly note?: string;
}

export interface Place {
	readonly origin: string;
	readonly needsKey: boolean;
}

/** The reads of a job, as a client makes them. */
export function questionsAbout(job: StatusDocument, etag: string | undefined): Question[] {
	const path = `/v1/jobs/${job.id}`;
	const unchanged: Question[] =
		etag === undefined
			? []
			: [
					{
						title: 'Poll again, unchanged',
						method: 'GET',
						path: `/v1/operations/${job.id}`,
						headers: [['If-None-Match', etag]],
					},
				];
	const result: Question = { title: 'Read the result', method: 'GET', path: `${path}/result`, headers: [] };
	return [
		{ title: 'Poll', method: 'GET', path, headers: [] },
		{ title: 'Poll the operation', method: 'GET', path: `/v1/operations/${job.id}`, headers: [] },
		...unchanged,
		{ title: 'Read the events', method: 'GET', path: `${path}/events`, headers: [] },
		...(isFinished(job) ? [result] : []),
	];
}

/** A question with its answer. */
export function answered(question: Question, answer: Answer, place: Place): Exchange {
	const { title, method, path, headers, options = [] } = question;
	const { redirectedTo } = answer;
	const note =
		redirectedTo === undefined
			? question.note
			: 'A browser follows a redirect without showing it. The 303 is what this API answers for a job that succeeded, and Location is where the browser was led.';
	return {
		title,
		evidence: 'made just now',
		...(note !== undefined && { note }),
		request: requestText({ method, path, headers, place }),
		response:
			redirectedTo === undefined
				? responseText(answer)
				: responseText({ status: 303, headers: [['Location', redirectedTo]], body: '' }),
		curl: curlLine({ method, url: place.origin + path, headers, options, needsKey: place.needsKey }),
	};
}

export interface Submission {
	readonly job: StatusDocument;
	readonly accepted: JobEvent | undefined;
	/** Left out where the input is deleted or not a text. */
	readonly input?: { readonly mediaType: string; readonly text?: string };
}

/** The submission, from what the job's record kept of it. */
export function submissionOf({ job, accepted, input }: Submission, place: Place): Exchange {
	const isForwarded = job.task.includes('/');
	const path = isForwarded ? `/v1/${job.task}/…` : `/v1/tasks/${encodeURIComponent(job.task)}/jobs`;
	const headers: Headers = [
		['Content-Type', input?.mediaType ?? 'application/json'],
		...(job.tags.length > 0 ? [['Coatcheck-Tags', job.tags.join(', ')] as const] : []),
		['X-Correlation-ID', job.correlationId],
	];
	const body = input?.text;
	const request: CurlRequest = {
		method: 'POST',
		url: place.origin + path,
		headers,
		body: body ?? '@input',
		needsKey: place.needsKey,
	};
	return {
		title: 'Submit',
		evidence: 'reconstructed',
		note: isForwarded
			? 'The method, the path and the query of a forwarded request are not part of the record.'
			: `Made of the job's record. Parameters and further options are not part of it.${
					body === undefined
						? ' Its input is deleted or not a text: the command line reads it from a file named input.'
						: ' The command line submits another job.'
				}`,
		request: requestText({ method: 'POST', path, headers, body: body ?? '(the input)', place }),
		response: responseText({ status: 202, headers: acceptedHeaders(job), body: JSON.stringify(accepted?.job ?? job) }),
		...(isForwarded ? {} : { curl: curlLine(request) }),
	};
}

function acceptedHeaders({ links, correlationId }: StatusDocument): Headers {
	return [
		['Content-Type', 'application/json'],
		['Location', links.self],
		['Operation-Location', links.operation],
		['Link', `<${links.operation}>; rel="status", <${links.events}>; rel="monitor"; type="text/event-stream"`],
		['X-Correlation-ID', correlationId],
	];
}

/** The stream of events: the page itself uses the socket, which no command line needs. */
export function streamOf({ id }: StatusDocument, place: Place): Exchange {
	const path = `/v1/jobs/${id}/events`;
	const headers: Headers = [['Accept', 'text/event-stream']];
	return {
		title: 'Follow the events',
		evidence: 'not sent',
		note: 'The stream ends with the last event of the job.',
		request: requestText({ method: 'GET', path, headers, place }),
		curl: curlLine({ method: 'GET', url: place.origin + path, headers, options: ['-N'], needsKey: place.needsKey }),
	};
}

export function cancelOf({ id }: StatusDocument, place: Place): Exchange {
	const path = `/v1/jobs/${id}/cancel`;
	return {
		title: 'Cancel',
		evidence: 'not sent',
		request: requestText({ method: 'POST', path, headers: [], place }),
		curl: curlLine({ method: 'POST', url: place.origin + path, needsKey: place.needsKey }),
	};
}

/** The last delivery of each event, with what is known of it. */
export function deliveriesOf(job: StatusDocument, events: readonly JobEvent[], place: Place): Exchange[] {
	const { webhook } = job;
	if (!webhook) return [];
	return webhook.deliveries.map((delivery) => {
		const event = events.find(({ seq }) => seq === delivery.seq);
		const sentAt = delivery.at === undefined ? undefined : Math.floor(Date.parse(delivery.at) / 1_000);
		const headers: Headers = [
			['Content-Type', 'application/json'],
			['User-Agent', 'Coatcheck-Webhook/1'],
			['Webhook-Id', `${job.id}:${Date.parse(job.createdAt)}:${delivery.seq}`],
			['Webhook-Timestamp', sentAt === undefined ? '(the second of the try)' : String(sentAt)],
			['Webhook-Signature', 'v1,(HMAC-SHA256 with the secret of the tenant, which the API never shows)'],
			['X-Correlation-ID', job.correlationId],
		];
		const body = event && { type: `job.${event.type}`, timestamp: event.at, data: event.job };
		const again = `/v1/jobs/${job.id}/webhook/deliveries`;
		return {
			title: `Webhook of event ${delivery.seq}`,
			evidence: 'reconstructed' as const,
			note: 'In the format "standard". The query of the URL is never shown, and neither is the body of the answer. The command line asks the service to send the event again.',
			request: messageText(`POST ${webhook.url}`, headers, body === undefined ? '(the event)' : JSON.stringify(body)),
			response: delivery.code === undefined ? '(no answer)' : statusLine(delivery.code),
			curl: curlLine({
				method: 'POST',
				url: place.origin + again,
				headers: [['Content-Type', 'application/json']],
				body: JSON.stringify({ seq: delivery.seq }),
				needsKey: place.needsKey,
			}),
		};
	});
}

interface RequestParts {
	readonly method: string;
	readonly path: string;
	readonly headers: Headers;
	readonly body?: string;
	readonly place: Place;
}

function requestText({ method, path, headers, body = '', place }: RequestParts): string {
	const key: Headers = place.needsKey ? [['Authorization', 'Bearer $COATCHECK_API_KEY']] : [];
	return messageText(`${method} ${path}`, [['Host', new URL(place.origin).host], ...key, ...headers], body);
}

function responseText({ status, headers, body, isCut = false }: Answer): string {
	const text = messageText(statusLine(status), headers, body);
	return isCut ? `${text}\n…` : text;
}

function messageText(first: string, headers: Headers, body: string): string {
	const lines = [first, ...headers.map(([name, value]) => `${headerName(name)}: ${value}`)];
	return hideSecrets([...lines, ...(body === '' ? [] : ['', prettyJson(body)])].join('\n'));
}

/** A browser shows names in lower case. */
function headerName(name: string): string {
	return name.replace(/(?:^|-)[a-z]/g, (start) => start.toUpperCase());
}

const REASONS: Record<number, string> = {
	200: 'OK',
	202: 'Accepted',
	204: 'No Content',
	303: 'See Other',
	304: 'Not Modified',
	400: 'Bad Request',
	404: 'Not Found',
	409: 'Conflict',
	410: 'Gone',
	500: 'Internal Server Error',
};

function statusLine(status: number): string {
	return `HTTP ${status} ${REASONS[status] ?? ''}`.trim();
}
