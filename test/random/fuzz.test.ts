/** Every request gets a response that the contract allows: never a 500, a hang or a stack trace. */
import { exports } from 'cloudflare:workers';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { PROBLEMS } from '../../src/http/problem.ts';
import { ROUTES } from '../../src/http/routes.ts';
import { call, ORIGIN, post, submit, until } from '../flow/client.ts';

const REQUESTS = 5_000;
const SEED = 20_261_121;
/** Longer than the longest wait that a request below asks for. */
const HANG_MS = 120_000;
/** The error message of this test's failed job. */
const OUR_TOKEN = '{token}';
const JOB_ERROR = { code: 'Broken', message: 'As asked', status: 422 };
const KNOWN_CODES: ReadonlySet<string> = new Set([...Object.keys(PROBLEMS), JOB_ERROR.code, 'StartDeadlinePassed']);

interface Shot {
	readonly method: string;
	readonly path: string;
	readonly query: readonly (readonly [string, string])[];
	readonly headers: readonly (readonly [string, string])[];
	readonly body: string | Uint8Array<ArrayBuffer> | undefined;
}

/** Jobs in every state, for the requests. Created before the requests begin. */
const ids: string[] = [];
const tokens: string[] = [];

beforeAll(async () => {
	const { document: done } = await submit('sleep', { seconds: 0 });
	const { document: failed } = await submit('sleep', { seconds: 0, error: JOB_ERROR });
	const { document: delayed } = await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 });
	const { document: canceled } = await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 });
	const { document: purged } = await submit('sleep', { seconds: 0 });
	const { document: waiting } = await submit('sleep', { seconds: 0, wait: true });
	await call(canceled.links.self, { method: 'DELETE' });
	await until(purged, 'succeeded');
	await call(`/v1/jobs/${purged.id}/purge`, { method: 'POST' });
	await until(waiting, 'waiting');
	await until(done, 'succeeded');
	await until(failed, 'failed');
	ids.push(...[done, failed, delayed, canceled, purged, waiting].map(({ id }) => id));
	tokens.push(new URL(done.links.self).searchParams.get('token') ?? '');
});

const text = fc.oneof(
	fc.string({ maxLength: 40 }),
	fc.string({ unit: 'binary', maxLength: 20 }),
	fc.constantFrom('', '-1', '0', '1e9', 'NaN', 'null', '%00', '../..', '"', '\\', '0'.repeat(64), 'x'.repeat(5_000)),
);

/** The placeholder for a job's id: `{3}` is the fourth job. It is replaced when the request is sent, because jobs are created later. */
const id = fc.oneof(
	{ weight: 4, arbitrary: fc.nat(5).map((index) => `{${index}}`) },
	{ weight: 1, arbitrary: text.map((value) => encodeURIComponent(value.toWellFormed())) },
	{ weight: 1, arbitrary: fc.constant('f'.repeat(64)) },
);

const path = fc.oneof(
	{
		weight: 6,
		arbitrary: fc
			.tuple(
				fc.constantFrom(...ROUTES.map((route) => route.path), '/healthz', '/'),
				id,
				fc.constantFrom('sleep', 'thumbnail', 'echo', 'nothing'),
			)
			.map(([route, id, task]) =>
				route
					.replace(':id', id)
					.replace(/:task\b/, task)
					.replace(':operation', `message:${task === 'echo' ? 'stream' : 'send'}`)
					.replace(/:[a-zA-Z]+\+?/g, id),
			),
	},
	{ weight: 1, arbitrary: fc.webPath().map((value) => `/${value}`) },
	{ weight: 1, arbitrary: text.map((value) => `/v1/${encodeURI(value.toWellFormed())}`) },
);

const query = fc.array(
	fc.tuple(
		fc.oneof(
			fc.constantFrom(
				'token',
				'after',
				'onPending',
				'onComplete',
				'onFailed',
				'width',
				'format',
				'status',
				'limit',
				'types',
				'frames',
				'place',
				'cursor',
			),
			text,
		),
		fc.oneof(
			fc.constantFrom('accepted', 'inline', 'error', '0', '7', 'jpeg', 'batch', 'true'),
			fc.constant(OUR_TOKEN),
			text,
		),
	),
	{ maxLength: 3 },
);

const OUR_HEADERS = [
	'accept',
	'if-match',
	'if-modified-since',
	'if-unmodified-since',
	'authorization',
	'content-encoding',
	'content-length',
	'content-type',
	'idempotency-key',
	'if-none-match',
	'last-event-id',
	'origin',
	'prefer',
	'traceparent',
	'x-correlation-id',
	'coatcheck-delay-seconds',
	'coatcheck-start-within-seconds',
	'coatcheck-timeout-seconds',
	'coatcheck-max-attempts',
	'coatcheck-retain-seconds',
	'coatcheck-tags',
	'coatcheck-webhook-url',
	'coatcheck-webhook-events',
	'coatcheck-webhook-format',
	'coatcheck-on-pending',
	'coatcheck-on-complete',
	'coatcheck-on-failed',
	'coatcheck-event-type',
	'ce-type',
	'ce-id',
	'ce-specversion',
	'sec-websocket-protocol',
	'sec-websocket-key',
	'upgrade',
	'access-control-request-method',
	'cookie',
	'range',
	'expect',
];
const headerValue = fc.oneof(
	fc.constantFrom(
		'application/json',
		'text/event-stream',
		'image/png',
		'text/csv',
		'websocket',
		'coatcheck.v1',
		'wait=1',
		'wait=-1',
		'"0"',
		'*',
		'Bearer x',
		'gzip',
		'1',
		'99999999999',
		'https://receiver.example/',
		'succeeded,failed',
		'"key"',
		'00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
	),
	fc.constantFrom(
		'Text/Event-Stream;q=0.5, */*;q=0',
		'text/*, application/json;q=0',
		'image/png;q=2, ;;, ,',
		'text/event-stream;q=0, application/json;q=0',
		'foo="a, wait=7"',
		'return=minimal; wait=1',
		'respond-async, wait="1"',
		'wait = 1 ; x="\\',
		'W/"1", "2", *',
		'"no end',
		'bytes=0-1',
		'bytes=-5,2-',
		'Mon, 01 Jun 2026 10:00:00 GMT',
		'application/json; charset="utf-8',
		'application/vnd.api+json;;',
		'text/plain; charset=iso-8859-1',
		'/json',
		'order 42',
		'x'.repeat(129),
		'\xe9\xff',
	),
	// Lists with parameters that are almost well-formed.
	fc
		.array(fc.constantFrom('text/*', 'wait', '=', ';', ',', '"', '\\', 'q=0', ' ', '1', 'W/', '*'), { maxLength: 12 })
		.map((parts) => parts.join('')),
	fc.string({ maxLength: 40 }).map((value) => value.replace(/[^\x20-\x7e]/g, '')),
);
const headers = fc.array(
	fc.tuple(
		fc.oneof(
			{ weight: 9, arbitrary: fc.constantFrom(...OUR_HEADERS) },
			{ weight: 1, arbitrary: fc.stringMatching(/^[a-z-]{1,20}$/) },
		),
		headerValue,
	),
	{ maxLength: 5 },
);

const input = fc.oneof(
	fc.record({ seconds: fc.constant(0), steps: fc.oneof(fc.nat(3), fc.anything()) }, { requiredKeys: ['seconds'] }),
	fc.json().map((json) => JSON.parse(json) as unknown),
);
const options = fc.dictionary(
	fc.constantFrom(
		'delaySeconds',
		'maxAttempts',
		'tags',
		'webhook',
		'idempotencyKey',
		'correlationId',
		'onPending',
		'nonsense',
	),
	fc.oneof(fc.nat(60), text, fc.constant(null), fc.array(text, { maxLength: 3 })),
);
const envelope = fc
	.record({ task: fc.oneof(fc.constantFrom('sleep', 'echo', 'either'), text), input, options }, { requiredKeys: [] })
	.map((value) => JSON.stringify(value));
/** Its filters match no job that the other requests need. */
const action = fc
	.record(
		{
			action: fc.oneof(fc.constantFrom('cancel', 'retry', 'purge'), text),
			filter: fc.record(
				{
					task: fc.constant('nothing'),
					status: fc.oneof(fc.constantFrom('failed', 'pending'), text),
					tag: fc.oneof(text, fc.array(text, { maxLength: 3 })),
					createdAfter: fc.oneof(fc.constant('2026-11-28T00:00:00Z'), text),
					nonsense: text,
				},
				{ requiredKeys: ['task'] },
			),
		},
		{ requiredKeys: ['filter'] },
	)
	.map((value) => JSON.stringify(value));
/** A message of Agent2Agent that does not wait for its task. */
const message = fc
	.record(
		{
			messageId: fc.oneof(text, fc.uuid()),
			contextId: text,
			taskId: fc.oneof(id, fc.constant(null)),
			parts: fc.array(
				fc.oneof(fc.record({ data: fc.oneof(input, fc.anything()) }), fc.record({ text }), fc.anything()),
				{
					maxLength: 3,
				},
			),
			metadata: fc.oneof(fc.record({ skill: fc.constantFrom('sleep', 'thumbnail', 'echo', 'nothing') }), fc.anything()),
		},
		{ requiredKeys: ['parts'] },
	)
	.map((value) => JSON.stringify({ message: value, configuration: { returnImmediately: true } }));

const body = fc.oneof(
	{ weight: 1, arbitrary: message },
	{ weight: 3, arbitrary: envelope },
	{ weight: 2, arbitrary: action },
	{ weight: 2, arbitrary: input.map((value) => JSON.stringify(value) ?? '') },
	{
		weight: 1,
		arbitrary: fc.record({ seq: fc.oneof(fc.nat(5), fc.anything()) }).map((value) => JSON.stringify(value)),
	},
	{ weight: 1, arbitrary: fc.json() },
	{ weight: 1, arbitrary: text },
	{ weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => new Uint8Array(bytes)) },
	{
		weight: 1,
		arbitrary: fc.constantFrom(
			'['.repeat(5_000),
			`{"task":"sleep","input":${'['.repeat(200)}${']'.repeat(200)}}`,
			'{"seconds":1e999}',
			'{"seconds":9007199254740993}',
			'{"task":"echo","input":[0,-12345678901234567890]}',
			`{"task":"sleep","input":{"seconds":${'9'.repeat(400)}}}`,
			'{"seconds":9007199254740993,"seconds":0}',
			'[-,1-2,9e,9007199254740993',
		),
	},
	{ weight: 2, arbitrary: fc.constant(undefined) },
);

const shot: fc.Arbitrary<Shot> = fc.record({
	method: fc.oneof(
		{ weight: 8, arbitrary: fc.constantFrom('GET', 'POST', 'DELETE') },
		{ weight: 1, arbitrary: fc.constantFrom('HEAD', 'OPTIONS', 'PUT', 'PATCH', 'PROPFIND') },
	),
	path,
	query,
	headers,
	body,
});

/** Rejections that random requests cause too rarely. */
const SURE_HITS: readonly Shot[] = [
	{ method: 'GET', path: '/v1/jobs/{0}/events', query: [], headers: [['accept', 'image/png']], body: undefined },
	{ method: 'DELETE', path: '/v1/jobs/{2}', query: [], headers: [['if-match', 'W/"1", "2"']], body: undefined },
];

function aimed({ path, query, ...rest }: Shot): Shot & { readonly url: string } {
	const search = new URLSearchParams(
		query.map(([name, value]) => [name.toWellFormed(), value === OUR_TOKEN ? (tokens[0] ?? '') : value.toWellFormed()]),
	);
	const named = path.replace(/\{(\d)\}/, (_, index: string) => ids[Number(index)] ?? '');
	return { ...rest, path, query, url: `${ORIGIN}${named}${search.size > 0 ? `?${search}` : ''}` };
}

/** A response, with as much of its body as ends. */
async function fire({ method, url, headers, body }: ReturnType<typeof aimed>) {
	const sent = new Headers();
	for (const [name, value] of headers) sent.set(name, value.trim());
	if (new URL(url).pathname.startsWith('/a2a/') && !sent.has('a2a-version')) sent.set('a2a-version', '1.0');
	const hasBody = body !== undefined && method !== 'GET' && method !== 'HEAD';
	if (!hasBody) sent.delete('content-length');
	const controller = new AbortController();
	const response = await exports.default.fetch(url, {
		redirect: 'manual',
		method,
		headers: sent,
		signal: controller.signal,
		...(hasBody && { body }),
	});
	const type = response.headers.get('content-type') ?? '';
	if (response.webSocket) {
		response.webSocket.accept();
		response.webSocket.close();
	}
	const isEndless = type.startsWith('text/event-stream') || response.status === 101;
	const said = isEndless ? '' : await response.text();
	if (isEndless) await response.body?.cancel();
	return { status: response.status, type, said, headers: response.headers };
}

function withinTime<T>(promise: Promise<T>): Promise<T> {
	const { promise: late, reject } = Promise.withResolvers<never>();
	const timer = setTimeout(() => reject(new Error(`No answer within ${HANG_MS} ms`)), HANG_MS);
	return Promise.race([promise, late]).finally(() => clearTimeout(timer));
}

describe('the HTTP surface', () => {
	it(`answers ${REQUESTS} requests that make little sense with what the contract knows, and works as before`, async () => {
		const seen = new Map<number, number>();
		const property = fc.asyncProperty(shot, async (value) => {
			const answer = await withinTime(fire(aimed(value)));
			seen.set(answer.status, (seen.get(answer.status) ?? 0) + 1);
			check(value.method, answer);
		});
		await fc.assert(property, { numRuns: REQUESTS, seed: SEED, examples: SURE_HITS.map((hit) => [hit]) });
		// The requests did reach their targets.
		for (const status of [200, 202, 204, 303, 400, 401, 403, 404, 405, 406, 409, 410, 412, 415, 426])
			expect([...seen.keys()]).toContain(status);
		const { document } = await submit('sleep', { seconds: 0 });
		expect(await until(document as StatusDocument, 'succeeded')).toMatchObject({ attempt: 1 });
		expect((await post('/v1/jobs', {})).status).toBe(400);
	}, 900_000);
});

const A2A_TYPE = 'application/a2a+json';

function check(method: string, { status, type, said, headers }: Awaited<ReturnType<typeof fire>>): void {
	expect(status).not.toBe(500);
	expect(said).not.toMatch(/\n\s+at |\.ts:\d+|node_modules|Error: /);
	expect(headers.get('x-content-type-options') ?? (status === 101 ? 'nosniff' : null)).toBe('nosniff');
	expect(headers.get('x-correlation-id')).toMatch(/^[\x21-\x7e]{1,128}$/);
	if (status < 400) return;
	if (isJsonRpcError(said)) return;
	expect(['application/problem+json', A2A_TYPE]).toContain(type);
	if (method === 'HEAD') return;
	if (type === A2A_TYPE) return checkStatusOfRpc(said, status);
	const problem = JSON.parse(said) as { code: string; correlationId: string };
	expect(problem.correlationId).toBe(headers.get('x-correlation-id'));
	expect(KNOWN_CODES).toContain(problem.code);
	if (status === 503 || status === 429) expect(Number(headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
}

/** Agent2Agent has errors of its own form. */
function checkStatusOfRpc(said: string, status: number): void {
	const { error } = JSON.parse(said) as { error: { code: number; details: { reason?: string }[] } };
	expect(error).toMatchObject({
		code: status,
		status: expect.stringMatching(/^[A-Z_]+$/),
		message: expect.any(String),
	});
	expect(error.details[0]?.reason).toMatch(/^\w+$/);
}

/** The MCP server answers in its protocol's own form once it knows the caller. */
function isJsonRpcError(said: string): boolean {
	return /^\{"jsonrpc":"2\.0",(?:"id":[^,]+,)?"error":\{"code":-32\d{3},"message":"/.test(said);
}
