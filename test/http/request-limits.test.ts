/** Every part of a request that can be too large or too many: each is rejected with its own error, before anything is stored. */
import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { DEFAULTS } from '../../src/config/defaults.ts';
import {
	MAX_JSON_DEPTH,
	MAX_JSON_VALUES,
	MAX_PARAMETERS_BYTES,
	OPTION_LIMITS,
	WEBHOOK_URL_CHARS,
} from '../../src/core/job/limits.ts';
import { EVENT_TYPES } from '../../src/core/job/record.ts';
import { REQUEST_LIMITS } from '../../src/http/request-limits.ts';
import { ORIGIN } from '../flow/client.ts';
import { createOwnWork } from '../flow/own-work.ts';
import { ask } from './deployment.ts';

/** The open deployment of the tests. */
const OPEN = {};
const SLEEP = '/v1/tasks/sleep/jobs';

interface Sent {
	readonly path?: string;
	readonly headers?: Record<string, string>;
	readonly body?: string;
}

function send({ path = SLEEP, headers = {}, body = '{"seconds":0}' }: Sent): Promise<Response> {
	const sizeBytes = new TextEncoder().encode(body).byteLength;
	const all = {
		'content-type': 'application/json',
		'content-length': String(sizeBytes),
		'coatcheck-delay-seconds': '3600',
		...headers,
	};
	return ask(OPEN, path, { method: 'POST', headers: all, body });
}

const envelope = (fields: object): Sent => ({
	path: '/v1/jobs',
	body: JSON.stringify({ task: 'sleep', input: { seconds: 0 }, ...fields }),
});

const pathOf = (chars: number) => `/v1/jobs?x=${'x'.repeat(chars - `${ORIGIN}/v1/jobs?x=`.length)}`;
const parameters = (count: number) =>
	`/v1/jobs?${Array.from({ length: count }, (_, index) => `p${index}=1`).join('&')}`;
/** The headers that every request here has. */
const OURS = ['content-type: application/json', 'content-length: 13', 'coatcheck-delay-seconds: 3600'];
const headers = (count: number) =>
	Object.fromEntries(Array.from({ length: count - OURS.length }, (_, index) => [`x-${index}`, '1']));
const nested = (depth: number): Sent => ({
	path: '/v1/tasks/innocent/jobs',
	body: '['.repeat(depth) + ']'.repeat(depth),
});
const values = (count: number): Sent => ({
	path: '/v1/tasks/innocent/jobs',
	body: `[${Array.from({ length: count - 1 }, () => '1').join()}]`,
});
const url = (chars: number) => `https://a.example/${'x'.repeat(chars - 'https://a.example/'.length)}`;
const tags = (count: number, chars = 1) => Array.from({ length: count }, () => 't'.repeat(chars)).join();
const events = (count: number) => Array.from({ length: count }, () => 'failed');

interface Amount {
	readonly what: string;
	readonly max: number;
	readonly of: (amount: number) => Sent;
	/** Default: 400. */
	readonly refused?: readonly [status: number, code: string];
	/** The location of the fault in the error. */
	readonly place?: string;
}

const header = (what: string, max: number, name: string, value: (amount: number) => string): Amount => ({
	what,
	max,
	of: (amount) => ({ headers: { [name.toLowerCase()]: value(amount) } }),
	place: name,
});

const { correlationIdChars, idempotencyKeyChars, tagChars, ...OPTIONS } = OPTION_LIMITS;

const AMOUNTS: readonly Amount[] = [
	{
		what: 'characters of URL',
		max: REQUEST_LIMITS.urlChars,
		of: (n) => ({ ...envelope({}), path: pathOf(n) }),
		refused: [414, 'UriTooLong'],
	},
	{
		what: 'query parameters',
		max: REQUEST_LIMITS.queryParameters,
		of: (n) => ({ ...envelope({}), path: parameters(n) }),
	},
	{
		what: 'headers',
		max: REQUEST_LIMITS.headers,
		of: (n) => ({ headers: headers(n) }),
		refused: [431, 'HeadersTooLarge'],
	},
	header('characters of correlation id', correlationIdChars.max, 'X-Correlation-ID', (n) => 'c'.repeat(n)),
	header('characters of idempotency key', idempotencyKeyChars.max, 'Idempotency-Key', (n) => 'k'.repeat(n)),
	header('tags', OPTIONS.tags.max, 'Coatcheck-Tags', (n) => tags(n)),
	header('characters of a tag', tagChars.max, 'Coatcheck-Tags', (n) => tags(1, n)),
	header('seconds of delay', OPTIONS.delaySeconds.max, 'Coatcheck-Delay-Seconds', String),
	header('seconds of an attempt', OPTIONS.timeoutSeconds.max, 'Coatcheck-Timeout-Seconds', String),
	header('attempts', OPTIONS.maxAttempts.max, 'Coatcheck-Max-Attempts', String),
	header('seconds of retention', OPTIONS.retainSeconds.max, 'Coatcheck-Retain-Seconds', String),
	header('characters of webhook URL', WEBHOOK_URL_CHARS, 'Coatcheck-Webhook-Url', url),
	{
		what: 'webhook events',
		max: EVENT_TYPES.length,
		of: (n) => envelope({ options: { delaySeconds: 3_600, webhook: { url: url(30), events: events(n) } } }),
		place: '/options/webhook/events',
	},
	{
		what: 'bytes of body',
		max: DEFAULTS.MAX_INPUT_BYTES,
		of: (n) => ({ path: '/v1/tasks/echo/jobs', headers: { 'content-type': 'text/plain' }, body: 'x'.repeat(n) }),
		refused: [413, 'PayloadTooLarge'],
	},
	{ what: 'levels of JSON', max: MAX_JSON_DEPTH, of: nested },
	{ what: 'values of JSON', max: MAX_JSON_VALUES, of: values },
];

describe('a submission', () => {
	it.each(AMOUNTS)('may have $what up to $max, and not one more', async ({ max, of, refused, place }) => {
		const most = await send(of(max));
		expect(most.status, await most.text()).toBe(202);
		const own = createOwnWork();
		const { get } = env.JOBS;
		let objects = 0;
		const spy = vi.spyOn(env.JOBS, 'get').mockImplementation(function (this: typeof env.JOBS, ...args) {
			if (own.isCaller()) objects++;
			return get.apply(this, args);
		});
		onTestFinished(() => spy.mockRestore());
		const response = await own.run(() => send(of(max + 1)));
		const problem = await response.json<{ code: string; errors?: Record<string, string>[] }>();
		expect([response.status, problem.code]).toEqual(refused ?? [400, 'InvalidRequest']);
		if (place !== undefined) expect(problem.errors?.map(({ header, pointer }) => header ?? pointer)).toContain(place);
		expect(objects).toBe(0);
	});

	it('may have 32 KiB of headers, and is told which is the largest', async () => {
		const ours = `${OURS.join('').replaceAll(': ', '')}x-largex-small1`.length;
		const large = (more: number) => ({
			'x-large': 'x'.repeat(REQUEST_LIMITS.headerBytes - ours + more),
			'x-small': '1',
		});
		expect((await send({ headers: large(0) })).status).toBe(202);
		const response = await send({ headers: large(1) });
		expect(response.status).toBe(431);
		expect(await response.json()).toMatchObject({ code: 'HeadersTooLarge', errors: [{ header: 'x-large' }] });
	});

	it('may have 16 KiB of parameters', async () => {
		const response = await send(envelope({ parameters: { x: 'x'.repeat(MAX_PARAMETERS_BYTES) } }));
		expect(response.status).toBe(400);
		expect(await response.text()).toContain(`expected at most ${MAX_PARAMETERS_BYTES} bytes`);
	});
});
