/** Our client against an independent server that was made to test clients: every route that it has for operations. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
	followOperation,
	OperationCanceledError,
	OperationFailedError,
	type OperationInit,
	type OperationOptions,
	type OperationState,
	ProblemError,
	ProtocolError,
} from '../../src/client/index.ts';
import { fetchWithCookies, type Stranger, startStranger } from './stranger.ts';

let stranger: Stranger;
beforeAll(async () => {
	stranger = await startStranger();
});
afterAll(() => stranger.stop());

/** Short waits, because the server is on this machine and never busy. */
const WAIT_MS = { first: 2, max: 20 };
/** More than any route needs, and few enough to detect endless polling. */
const MAX_REQUESTS = 12;

interface Run {
	readonly value?: unknown;
	readonly error?: unknown;
	readonly states: readonly OperationState[];
	/** The paths of the requests: `GET /lro/…`, in order. */
	readonly asked: readonly string[];
}

async function run(route: string, { options, init }: Pick<Route, 'options' | 'init'> = {}): Promise<Run> {
	const [method = '', path = ''] = route.split(' ');
	const asked: string[] = [];
	const withCookies = fetchWithCookies();
	const counting: typeof withCookies = (url, request) => {
		asked.push(`${request.method} ${new URL(url).pathname}`);
		if (asked.length > MAX_REQUESTS) throw new RangeError(`${route} is asked for ever`);
		return withCookies(url, request);
	};
	const operation = followOperation(
		`${stranger.origin}/lro${path}`,
		{ method, ...init },
		{ fetch: counting, waitMs: WAIT_MS, ...options },
	);
	const states: OperationState[] = [];
	try {
		for await (const state of operation.states()) states.push(state);
		return { value: await operation.result(), states, asked };
	} catch (error) {
		return { error, states, asked };
	}
}

interface Route {
	/** Method, and path under `/lro`. */
	readonly route: string;
	/** The scenarios that the server counts after a correct run. */
	readonly counts: readonly string[];
	readonly options?: OperationOptions;
	readonly init?: OperationInit;
}

const FOO = { id: '100', name: 'foo' };
const DONE = { ...FOO, properties: { provisioningState: 'Succeeded' } };
const SUB = { properties: { provisioningState: 'Succeeded' }, id: '100', subresource: 'sub1' };
const SKU = { name: 'sku', id: '100' };
const SAYS_SUCCEEDED = { status: 'Succeeded' };

/** Headers that this server requires with every poll too. */
const TRACED = { headers: { 'x-ms-client-request-id': '9C4D50EE-2D56-4CD3-8152-34347DC9F2B0' } };
/** A failed POST may be repeated only with a key that identifies it. */
const KEYED = { headers: { 'idempotency-key': '"8e03978e-40d5-43dd-bc93-6894a57f9324"' } };

/** The routes that succeed, with their results. */
const SUCCEED: readonly (Route & { readonly value: unknown })[] = [
	// Ended at once, so that there is nothing to follow.
	{ route: 'PUT /put/200/succeeded', counts: ['LROPutInlineComplete'], value: DONE },
	{ route: 'PUT /put/201/succeeded', counts: ['LROPutInlineComplete201'], value: DONE },
	{ route: 'PUT /put/200/succeeded/nostate', counts: ['LROPut200InlineCompleteNoState'], value: FOO },
	{ route: 'PATCH /patch/200/succeeded/ignoreheaders', counts: ['LROPatchInlineCompleteIgnoreHeaders'], value: DONE },
	{ route: 'DELETE /delete/204/succeeded', counts: ['LRODeleteInlineComplete'], value: undefined },
	{ route: 'DELETE /error/delete/204/nolocation', counts: ['LROErrorDeleteNoLocation'], value: undefined },
	// A 201 without further information. Azure's own clients ignore its state. According to RFC 9110 §15.3.2 the resource exists.
	{
		route: 'PUT /error/put/201/noprovisioningstatepayload',
		counts: ['LROErrorPut201NoProvisioningStatePayload'],
		value: undefined,
	},
	// The resource contains the state.
	{ route: 'PUT /put/201/creating/succeeded/200', counts: ['LROPutSucceededWithBody'], value: DONE },
	{ route: 'PUT /put/200/updating/succeeded/200', counts: ['LROPutSucceededNoBody'], value: DONE },
	{
		route: 'PUT /customheader/put/201/creating/succeeded/200',
		counts: ['CustomHeaderPutSucceeded'],
		init: TRACED,
		value: DONE,
	},
	// Location: 202 until the operation ends.
	{ route: 'PUT /put/202/retry/200', counts: ['LROPut202Retry200'], value: FOO },
	{ route: 'PUT /put/noheader/202/200', counts: ['LROPutNoHeaderInRetry'], value: DONE },
	{ route: 'PUT /putsubresource/202/200', counts: ['LROPutSubResourceInRetry'], value: SUB },
	{ route: 'PUT /putnonresource/202/200', counts: ['LROPutNonResourceInRetry'], value: SKU },
	{ route: 'DELETE /delete/noheader', counts: ['LRODeleteNoHeaderInRetry'], value: undefined },
	{ route: 'DELETE /delete/202/retry/200', counts: ['LRODelete200'], value: undefined },
	{ route: 'DELETE /delete/202/noretry/204', counts: ['LRODelete204'], value: undefined },
	{
		route: 'DELETE /delete/provisioning/202/accepted/200/succeeded',
		counts: ['LRODeleteProvisioningSucceededWithBody'],
		value: DONE,
	},
	{ route: 'POST /post/202/retry/200', counts: ['LROPostSuccededWithBody'], value: DONE },
	{ route: 'POST /post/202/noretry/204', counts: ['LROPostSuccededNoBody'], value: undefined },
	{ route: 'POST /post/payload/200', counts: ['LROPost200'], value: { id: '1', name: 'product' } },
	{
		route: 'POST /customheader/post/202/retry/200',
		counts: ['CustomHeaderPostSucceeded'],
		init: TRACED,
		value: undefined,
	},
	// A status document, then the resource itself.
	{ route: 'PUT /putasync/retry/succeeded', counts: ['LROPutAsyncRetrySucceeded'], value: DONE },
	{ route: 'PUT /putasync/noretry/succeeded', counts: ['LROPutAsyncNoRetrySucceeded'], value: DONE },
	{ route: 'PUT /putasync/noheader/201/200', counts: ['LROPutAsyncNoHeaderInRetry'], value: DONE },
	{ route: 'PUT /putsubresourceasync/202/200', counts: ['LROPutSubResourceAsyncInRetry'], value: SUB },
	{ route: 'PUT /putnonresourceasync/202/200', counts: ['LROPutNonResourceAsyncInRetry'], value: SKU },
	{
		route: 'PUT /customheader/putasync/retry/succeeded',
		counts: ['CustomHeaderPutAsyncSucceded'],
		init: TRACED,
		value: DONE,
	},
	{
		route: 'PATCH /patch/201/retry/onlyAsyncHeader',
		counts: ['LROPatch201WithAsyncHeader'],
		value: { ...DONE, id: '/lro/patch/201/retry/onlyAsyncHeader' },
	},
	{
		route: 'PATCH /patch/202/retry/asyncAndLocationHeader',
		counts: ['LROPatch202WithAsyncAndLocationHeader'],
		value: { ...DONE, id: '/lro/patch/202/retry/asyncAndLocationHeader' },
	},
	// A status document, without a resource to fetch.
	{ route: 'DELETE /deleteasync/noheader/202/204', counts: ['LRODeleteAsyncNoHeaderInRetry'], value: SAYS_SUCCEEDED },
	{ route: 'DELETE /deleteasync/retry/succeeded', counts: ['LRODeleteAsyncRetrySucceeded'], value: SAYS_SUCCEEDED },
	{ route: 'DELETE /deleteasync/noretry/succeeded', counts: ['LRODeleteAsyncNoRetrySucceeded'], value: SAYS_SUCCEEDED },
	{
		route: 'POST /customheader/postasync/retry/succeeded',
		counts: ['CustomHeaderPostAsyncSucceded'],
		init: TRACED,
		value: SAYS_SUCCEEDED,
	},
	// A status document. Then, depending on the service's description, the Location of the first response.
	{ route: 'POST /list', counts: ['LROPostAndGetList'], value: [FOO] },
	{ route: 'POST /postasync/retry/succeeded', counts: ['LROPostAsyncRetrySucceeded'], value: DONE },
	{ route: 'POST /postasync/noretry/succeeded', counts: ['LROPostAsyncNoRetrySucceeded'], value: DONE },
	{
		route: 'POST /LROPostDoubleHeadersFinalAzureHeaderGetDefault',
		counts: ['LROPostDoubleHeadersFinalAzureHeaderGetDefault'],
		value: FOO,
	},
	{
		route: 'POST /LROPostDoubleHeadersFinalAzureHeaderGet',
		counts: ['LROPostDoubleHeadersFinalAzureHeaderGet'],
		options: { finalStateVia: 'azure-async-operation' },
		value: { status: 'succeeded', id: '100' },
	},
	{
		route: 'POST /LROPostDoubleHeadersFinalLocationGet',
		counts: [
			'LROPostDoubleHeadersFinalLocationPost',
			'LROPostDoubleHeadersFinalLocationAsync',
			'LROPostDoubleHeadersFinalLocationGet',
		],
		options: { finalStateVia: 'location' },
		value: FOO,
	},
	// 500 to the first request, and to the first poll of each kind.
	{ route: 'PUT /retryerror/put/201/creating/succeeded/200', counts: ['LRORetryPutSucceededWithBody'], value: DONE },
	{
		route: 'PUT /retryerror/putasync/retry/succeeded',
		counts: ['LRORetryErrorPutAsyncSucceeded', 'LRORetryErrorPutAsyncSucceededPolling'],
		value: DONE,
	},
	{
		route: 'DELETE /retryerror/delete/provisioning/202/accepted/200/succeeded',
		counts: ['LRORetryErrorDelete202Accepted200Succeeded'],
		value: DONE,
	},
	{
		route: 'DELETE /retryerror/delete/202/retry/200',
		counts: ['LRORetryErrorDelete202Retry200Succeeded'],
		value: DONE,
	},
	{
		route: 'DELETE /retryerror/deleteasync/retry/succeeded',
		counts: ['LRORetryErrorDeleteAsyncRetrySucceeded'],
		value: SAYS_SUCCEEDED,
	},
	{
		route: 'POST /retryerror/post/202/retry/200',
		counts: ['LRORetryErrorPost202Retry200Succeeded'],
		init: KEYED,
		value: DONE,
	},
	{
		route: 'POST /retryerror/postasync/retry/succeeded',
		counts: ['LRORetryErrorPostAsyncRetrySucceeded'],
		init: KEYED,
		value: SKU,
	},
];

const FAILED = { is: OperationFailedError, code: 'OperationFailed' };
const CANCELED = { is: OperationCanceledError, code: 'OperationCanceled' };
const REFUSED = { is: ProblemError, status: 400 };
/** The links of these routes lead nowhere. */
const NOT_THERE = { is: ProblemError, status: 404 };
const NONSENSE = { is: ProtocolError };

/** The routes that fail, with their errors. */
const FAIL: readonly (Route & { readonly error: { readonly is: new (...args: never[]) => Error } })[] = [
	{ route: 'PUT /put/201/created/failed/200', counts: ['LROPutFailed'], error: FAILED },
	{ route: 'PUT /put/200/accepted/canceled/200', counts: ['LROPutCanceled'], error: CANCELED },
	{ route: 'PUT /putasync/retry/failed', counts: ['LROPutAsyncRetryFailed'], error: FAILED },
	{ route: 'PUT /putasync/noretry/canceled', counts: ['LROPutAsyncNoRetryCanceled'], error: CANCELED },
	{
		route: 'DELETE /delete/provisioning/202/deleting/200/failed',
		counts: ['LRODeleteProvisioningFailed'],
		error: FAILED,
	},
	{
		route: 'DELETE /delete/provisioning/202/deleting/200/canceled',
		counts: ['LRODeleteProvisioningCanceled'],
		error: CANCELED,
	},
	{ route: 'DELETE /deleteasync/retry/failed', counts: ['LRODeleteAsyncRetryFailed'], error: FAILED },
	{ route: 'DELETE /deleteasync/retry/canceled', counts: ['LRODeleteAsyncRetryCanceled'], error: CANCELED },
	{
		route: 'POST /postasync/retry/failed',
		counts: ['LROPostAsyncRetryFailed'],
		error: { ...FAILED, code: '500', message: 'Internal Server Error' } as typeof FAILED,
	},
	{ route: 'POST /postasync/retry/canceled', counts: ['LROPostAsyncRetryCanceled'], error: CANCELED },
	// Permanent rejections of the request and of a poll.
	{ route: 'PUT /nonretryerror/put/400', counts: ['LRONonRetryPut400'], error: REFUSED },
	{ route: 'PUT /nonretryerror/put/201/creating/400', counts: ['LRONonRetryPut201Creating400'], error: REFUSED },
	{
		route: 'PUT /nonretryerror/put/201/creating/400/invalidjson',
		counts: ['LRONonRetryPut201Creating400InvalidJson'],
		error: REFUSED,
	},
	{ route: 'PUT /nonretryerror/putasync/retry/400', counts: ['LRONonRetryPutAsyncRetry400'], error: REFUSED },
	{ route: 'DELETE /nonretryerror/delete/400', counts: ['LRONonRetryDelete400'], error: REFUSED },
	{ route: 'DELETE /nonretryerror/delete/202/retry/400', counts: ['LRONonRetryDelete202Retry400'], error: REFUSED },
	{ route: 'DELETE /nonretryerror/deleteasync/retry/400', counts: ['LRONonRetryDeleteAsyncRetry400'], error: REFUSED },
	{ route: 'POST /nonretryerror/post/400', counts: ['LRONonRetryPost400'], error: REFUSED },
	{ route: 'POST /nonretryerror/post/202/retry/400', counts: ['LRONonRetryPost202Retry400'], error: REFUSED },
	{ route: 'POST /nonretryerror/postasync/retry/400', counts: ['LRONonRetryPostAsyncRetry400'], error: REFUSED },
	// Responses without information.
	{ route: 'PUT /error/putasync/retry/nostatus', counts: ['LROErrorPutAsyncNoPollingStatus'], error: NONSENSE },
	{
		route: 'PUT /error/putasync/retry/nostatuspayload',
		counts: ['LROErrorPutAsyncNoPollingStatusPayload'],
		error: NONSENSE,
	},
	{
		route: 'DELETE /error/deleteasync/retry/nostatus',
		counts: ['LROErrorDeleteAsyncNoPollingStatus'],
		error: NONSENSE,
	},
	{ route: 'POST /error/postasync/retry/nopayload', counts: ['LROErrorPostAsyncNoPollingPayload'], error: NONSENSE },
	{ route: 'POST /error/post/202/nolocation', counts: ['LROErrorPostNoLocation'], error: NONSENSE },
	// Invalid JSON.
	{ route: 'PUT /error/put/200/invalidjson', counts: ['LROErrorPut200InvalidJson'], error: NONSENSE },
	{
		route: 'PUT /error/putasync/retry/invalidjsonpolling',
		counts: ['LROErrorPutAsyncInvalidJsonPolling'],
		error: NONSENSE,
	},
	{
		route: 'DELETE /error/deleteasync/retry/invalidjsonpolling',
		counts: ['LROErrorDeleteAsyncInvalidJsonPolling'],
		error: NONSENSE,
	},
	{
		route: 'POST /error/postasync/retry/invalidjsonpolling',
		counts: ['LROErrorPostAsyncInvalidJsonPolling'],
		error: NONSENSE,
	},
	// A link to "/foo", which does not exist, and a Retry-After of "/bar".
	{ route: 'PUT /error/putasync/retry/invalidheader', counts: ['LROErrorPutAsyncInvalidHeader'], error: NOT_THERE },
	{
		route: 'DELETE /error/delete/202/retry/invalidheader',
		counts: ['LROErrorDelete202RetryInvalidHeader'],
		error: NOT_THERE,
	},
	{
		route: 'DELETE /error/deleteasync/retry/invalidheader',
		counts: ['LROErrorDeleteAsyncInvalidHeader'],
		error: NOT_THERE,
	},
	{
		route: 'POST /error/post/202/retry/invalidheader',
		counts: ['LROErrorPost202RetryInvalidHeader'],
		error: NOT_THERE,
	},
	{ route: 'POST /error/postasync/retry/invalidheader', counts: ['LROErrorPostAsyncInvalidHeader'], error: NOT_THERE },
];

/** Counted by the server, but these test how an SDK fills in parts of a host name. Here those are part of the URL. */
const LEFT_OUT = /^LRO(Constant)?Parameteri[sz]ed/;

describe('an operation of a server that knows nothing of us', { concurrent: true }, () => {
	it.each(SUCCEED)('succeeds: $route', async ({ route, value, ...how }) => {
		const { states, value: got, error } = await run(route, how);
		expect({ value: got, error }).toEqual({ value, error: undefined });
		expect(states.at(-1)?.status).toBe('succeeded');
		expect(states.slice(0, -1).every(({ status }) => status === 'running')).toBe(true);
	});

	it.each(FAIL)('ends with an error that says how: $route', async ({ route, error: { is, ...facts }, ...how }) => {
		const { error } = await run(route, how);
		expect(error).toBeInstanceOf(is);
		expect(error).toMatchObject(facts);
	});

	it('is not begun again by a POST that failed for an unknown reason', async () => {
		const { error, asked } = await run('POST /retryerror/post/202/retry/200');
		expect(error).toMatchObject({ name: 'ProblemError', status: 500 });
		expect(asked).toEqual(['POST /lro/retryerror/post/202/retry/200']);
	});

	it('tells of each of its states, in its own words', async () => {
		const { states } = await run('PATCH /patch/201/retry/onlyAsyncHeader');
		expect(states.map(({ status, word }) => [status, word])).toEqual([
			['running', 'Accepted'],
			['running', 'Accepted'],
			['succeeded', 'Succeeded'],
		]);
		expect(states.at(-1)?.body).toMatchObject({ name: '201', status: 'Succeeded' });
	});
});

describe('the server itself', () => {
	it('has counted every scenario that is about operations, and there is none that is not in these tables', async () => {
		const counts = { ...(await stranger.report('azure')), ...(await stranger.report('optional')) };
		const known = [...SUCCEED, ...FAIL].flatMap((route) => route.counts);
		const names = Object.keys(counts).filter(
			(name) => /^LRO|^CustomHeader(Put|Post)/.test(name) && !LEFT_OUT.test(name),
		);
		expect(names.sort()).toEqual([...known].sort());
		expect(known.filter((name) => !((counts[name] ?? 0) > 0))).toEqual([]);
	});
});
