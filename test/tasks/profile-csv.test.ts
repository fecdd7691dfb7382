/// <reference types="vite/client" />
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import airports from '../../demo/data/airports.csv?raw';
import { MAX_FETCHED_CSV_BYTES } from '../../src/tasks/profile-csv/limits.ts';
import { type CsvProfile, profileCsv } from '../../src/tasks/profile-csv.ts';
import { type BinaryInput, type JobContext, TaskError } from '../../src/work/task.ts';

type Parameters = z.output<NonNullable<typeof profileCsv.parameters>>;
type Progress = [percent: number | undefined, message: string | undefined];

/** A job as the runner passes it to the task; it records the progress. */
function jobWith(options: { query?: Record<string, string>; fetch?: JobContext['fetch']; signal?: AbortSignal } = {}) {
	const progress: Progress[] = [];
	const job: JobContext<Parameters> = {
		id: '0'.repeat(64),
		attempt: 1,
		parameters: profileCsv.parameters?.parse(options.query ?? {}) ?? { header: 'true' },
		signal: options.signal ?? new AbortController().signal,
		correlationId: 'test',
		idempotencyKey: 'test',
		traceparent: undefined,
		progress: (percent, message) => void progress.push([percent, message]),
		fetch: options.fetch ?? (() => Promise.reject(new Error('Nothing to fetch'))),
		waitFor: () => Promise.reject(new Error('There is no external worker')),
	};
	return { job, progress };
}

function bodyOf(
	chunks: Iterable<string>,
	mediaType = 'text/csv',
): BinaryInput & { readonly state: { canceled: boolean } } {
	const parts = Array.from(chunks, (chunk) => new TextEncoder().encode(chunk));
	const sizeBytes = parts.reduce((sum, { length }) => sum + length, 0);
	const state = { canceled: false };
	const left = parts.values();
	const stream = () =>
		new ReadableStream<Uint8Array>({
			pull(controller) {
				const { value, done } = left.next();
				if (done) controller.close();
				else controller.enqueue(value);
			},
			cancel() {
				state.canceled = true;
			},
		});
	return { mediaType, sizeBytes, stream, bytes: () => Promise.reject(new Error('All at once')), state };
}

async function profileBody(csv: string, query?: Record<string, string>, mediaType?: string): Promise<CsvProfile> {
	return (await profileCsv.run(bodyOf([csv], mediaType), jobWith(query && { query }).job)) as CsvProfile;
}

describe('profile-csv, given a body,', () => {
	it('knows the airports of the United States', async () => {
		const profile = await profileBody(airports);
		const texts = (name: string, distinct: number, min: string, max: string, minLength: number, maxLength: number) => {
			const counts = { count: 3376, nulls: 0, distinct, distinctIsLowerBound: false };
			return { name, type: 'string', ...counts, min, max, minLength, maxLength };
		};
		const numbers = (name: string, min: number, max: number, mean: number, stddev: number) => {
			const counts = { count: 3376, nulls: 0, distinct: 3375, distinctIsLowerBound: false };
			return {
				name,
				type: 'number',
				...counts,
				min,
				max,
				mean: expect.closeTo(mean, 9),
				stddev: expect.closeTo(stddev, 9),
			};
		};
		expect(profile).toEqual({
			rows: 3376,
			raggedRows: 0,
			sizeBytes: 210_365,
			delimiter: ',',
			columns: [
				texts('iata', 3376, '00M', 'ZZV', 3, 4),
				texts('name', 3237, 'Abbeville Chris Crusta Memorial', 'Zephyrhills Municipal', 3, 41),
				texts('city', 2675, 'Abbeville', 'Zuni', 2, 33),
				texts('state', 57, 'AK', 'WY', 2, 2),
				texts('country', 5, 'Federated States of Micronesia', 'USA', 3, 30),
				numbers('latitude', 7.367222, 71.2854475, 40.03652362552429, 8.329558669019434),
				numbers('longitude', -176.6460306, 145.621384, -98.62120491947572, 22.86945781291562),
			],
		});
	});

	it('answers what JSON keeps as it is', async () => {
		const profile = await profileBody('a,b,c\n1,x,\n-0,y,\n');
		expect(JSON.parse(JSON.stringify(profile))).toEqual(profile);
	});

	it('takes the delimiter and the header from the query', async () => {
		expect((await profileBody('a,b;c\n', { delimiter: ';', header: 'false' })).columns).toMatchObject([
			{ name: 'column1', min: 'a,b' },
			{ name: 'column2', min: 'c' },
		]);
		expect((await profileBody('a,b\tc\n', { delimiter: 'tab' })).delimiter).toBe('\t');
		expect((await profileBody('a,b\tc\n', { delimiter: '\t' })).delimiter).toBe('\t');
	});

	it('takes a tab for the delimiter when the media type says so, and the query doesn’t', async () => {
		const mediaType = 'text/tab-separated-values; charset=utf-8';
		expect((await profileBody('a,b\n', {}, mediaType)).columns.map(({ name }) => name)).toEqual(['a,b']);
		expect((await profileBody('a,b\n', { delimiter: ',' }, mediaType)).columns).toHaveLength(2);
	});

	it.each([
		[{ delimiter: 'x' }, 'delimiter must be one of'],
		[{ header: 'yes' }, 'header must be true or false'],
		[{ delimeter: ',' }, 'Unrecognized key'],
	])('refuses the query %j', (query, message) => {
		const { success, error } = profileCsv.parameters?.safeParse(query) ?? {};
		expect(success).toBe(false);
		expect(error?.message).toContain(message);
	});

	it('reports progress that only rises, and ends at 100', async () => {
		const rows = Array.from({ length: 40 }, () => `${'some text,1\n'.repeat(2000)}`);
		const { job, progress } = jobWith();
		await profileCsv.run(bodyOf(['a,b\n', ...rows]), job);
		const percents = progress.map(([percent]) => percent ?? Number.NaN);
		expect(percents.length).toBeGreaterThan(10);
		expect(percents).toEqual(percents.toSorted((a, b) => a - b));
		expect(percents.slice(0, -1).every((percent) => percent >= 0 && percent < 100)).toBe(true);
		expect(progress.at(-1)).toEqual([100, '80,000 rows, 2 columns']);
		expect(progress[20]?.[1]).toMatch(/^0\.\d MB of 1\.0 MB read, \d\d,\d{3} rows$/);
	});

	it('stops within a turn when the job is canceled, and lets go of the body', async () => {
		const controller = new AbortController();
		const { job, progress } = jobWith({ signal: controller.signal });
		const body = bodyOf(['a\n', ...Array.from({ length: 100 }, () => `${'x'.repeat(99)}\n`.repeat(655))]);
		const running = profileCsv.run(body, job);
		const reason = new Error('canceled by the client');
		setTimeout(() => controller.abort(reason), 5);
		await expect(running).rejects.toBe(reason);
		expect(progress.length).toBeLessThan(100);
		expect(body.state.canceled).toBe(true);
	});

	it('lets go of the body when the file is no CSV', async () => {
		const body = bodyOf(['a\n', '\0'.repeat(70_000), 'b\n'.repeat(70_000), 'c\n']);
		await expect(profileCsv.run(body, jobWith().job)).rejects.toMatchObject({ code: 'InvalidCsv' });
		expect(body.state.canceled).toBe(true);
	});

	it('refuses an empty file for good', async () => {
		await expect(profileBody('')).rejects.toMatchObject({ code: 'EmptyCsv', status: 422, retryable: false });
	});
});

function answer(body: BodyInit | null, init?: ResponseInit): JobContext['fetch'] {
	return () => Promise.resolve(new Response(body, init));
}

async function profileUrl(fetch: JobContext['fetch']): Promise<{ profile: CsvProfile; progress: Progress[] }> {
	const { job, progress } = jobWith({ fetch });
	const profile = (await profileCsv.run({ url: 'https://example.com/data.csv' }, job)) as CsvProfile;
	return { profile, progress };
}

describe('profile-csv, given a URL,', () => {
	it('fetches and profiles the file', async () => {
		const asked: string[] = [];
		const { profile } = await profileUrl((url) => {
			asked.push(String(url));
			return Promise.resolve(new Response('a;b\n1;2\n', { headers: { 'content-type': 'text/csv' } }));
		});
		expect(asked).toEqual(['https://example.com/data.csv']);
		expect(profile).toMatchObject({ rows: 1, delimiter: ';', sizeBytes: 8 });
	});

	it('reads a file of tabs as such', async () => {
		const headers = { 'content-type': 'text/tab-separated-values' };
		expect((await profileUrl(answer('a,b\n', { headers }))).profile.delimiter).toBe('\t');
	});

	it('tells the percentage when the sender tells the length', async () => {
		const { progress } = await profileUrl(answer('a\n1\n', { headers: { 'content-length': '16' } }));
		expect(progress.map(([percent]) => percent)).toEqual([25, 100]);
	});

	it.each([
		['is unknown', {}],
		['is that of compressed bytes', { 'content-length': '4', 'content-encoding': 'gzip' }],
	])('tells no percentage before the end when the length %s', async (_, headers) => {
		const { progress } = await profileUrl(async () => plainStream('a\n1\n', headers));
		expect(progress.map(([percent]) => percent)).toEqual([undefined, 100]);
		expect(progress[0]?.[1]).toMatch(/^0\.0 MB read, \d rows?$/);
	});

	it('reads it in the charset that the answer names', async () => {
		const latin1 = new Uint8Array([0x6e, 0x0a, 0xe9, 0x0a, 0xe8, 0x0a, 0xea, 0x0a]);
		const fetch = answer(latin1, { headers: { 'content-type': 'text/csv; header=present; charset="iso-8859-1"' } });
		const { job } = jobWith({ fetch });
		const profile = (await profileCsv.run({ url: 'https://a.example/' }, job)) as CsvProfile;
		expect(profile.columns[0]).toMatchObject({ distinct: 3, distinctIsLowerBound: false, min: 'è', max: 'ê' });
	});

	const FAILURES: [string, JobContext['fetch'], Partial<TaskError>][] = [
		['a 404', answer('gone', { status: 404 }), { code: 'CsvFetchFailed', status: 422, retryable: false }],
		['a 401', answer(null, { status: 401 }), { code: 'CsvFetchFailed', status: 422, retryable: false }],
		['a 304', answer(null, { status: 304 }), { code: 'CsvFetchFailed', status: 422, retryable: false }],
		['a 500', answer('oops', { status: 500 }), { code: 'CsvFetchFailed', status: 502, retryable: true }],
		[
			'a 503 with Retry-After',
			answer('busy', { status: 503, headers: { 'retry-after': '30' } }),
			{ code: 'CsvFetchFailed', status: 502, retryable: true, retryAfterSeconds: 30 },
		],
		['a 429', answer('slow', { status: 429 }), { code: 'CsvFetchFailed', status: 502, retryable: true }],
		[
			'no answer',
			() => Promise.reject(new TypeError('connection refused')),
			{ code: 'CsvFetchFailed', status: 502, retryable: true },
		],
		[
			'a connection that breaks',
			async () => plainStream('a\n1\n', {}, new Error('reset by peer')),
			{ code: 'CsvFetchFailed', status: 502, retryable: true },
		],
		[
			'a web page',
			answer('<html>', { headers: { 'content-type': 'text/html; charset=utf-8' } }),
			{ code: 'CsvFetchFailed', status: 422, retryable: false },
		],
		['a file without bytes', answer(null), { code: 'EmptyCsv', status: 422, retryable: false }],
		[
			'an announced length above the limit',
			answer('a\n', { headers: { 'content-length': String(MAX_FETCHED_CSV_BYTES + 1) } }),
			{ code: 'CsvTooLarge', status: 413, retryable: false },
		],
		[
			'an address that is not allowed',
			() => Promise.reject(new TaskError('TargetNotAllowed', 'No', { retryable: false, status: 403 })),
			{ code: 'TargetNotAllowed', status: 403, retryable: false },
		],
	];

	it.each(FAILURES)('fails on %s', async (_, fetch, error) => {
		await expect(profileUrl(fetch)).rejects.toMatchObject({ name: 'TaskError', ...error });
	});

	it('fails on a file that turns out larger than 32 MiB, and stops reading it', async () => {
		const line = `${'x'.repeat(65_535)}\n`;
		let lines = 0;
		let canceled = false;
		const endless = new ReadableStream<Uint8Array>({
			pull: (controller) => controller.enqueue(new TextEncoder().encode(lines++ === 0 ? 'a\n' : line)),
			cancel: () => {
				canceled = true;
			},
		});
		await expect(profileUrl(answer(endless))).rejects.toMatchObject({
			code: 'CsvTooLarge',
			status: 413,
			retryable: false,
		});
		expect(lines).toBeGreaterThan(512);
		expect(lines).toBeLessThan(520);
		expect(canceled).toBe(true);
	});

	it('passes an abort on as it is', async () => {
		const controller = new AbortController();
		const { job } = jobWith({ signal: controller.signal, fetch: answer(new ReadableStream()) });
		const running = profileCsv.run({ url: 'https://example.com/' }, job);
		const reason = new Error('the attempt is over');
		setTimeout(() => controller.abort(reason), 0);
		await expect(running).rejects.toBe(reason);
	});

	it.each([
		[{}, 'url must be'],
		[{ url: 'data.csv' }, 'url must be'],
		[{ url: 'ftp://example.com/data.csv' }, 'url must be'],
		[{ url: 'https://example.com/', header: true }, 'Unrecognized key'],
	])('refuses the input %j', (input, message) => {
		const { success, error } = profileCsv.input.json.safeParse(input);
		expect(success).toBe(false);
		expect(error?.message).toContain(message);
	});
});

describe('profile-csv', () => {
	it('can be described as JSON Schema', () => {
		expect(z.toJSONSchema(profileCsv.input.json, { io: 'input' })).toMatchObject({ required: ['url'] });
		expect(z.toJSONSchema(profileCsv.parameters ?? z.never(), { io: 'input' })).toMatchObject({
			properties: { delimiter: { enum: [',', ';', '\t', '|', 'tab'] }, header: { default: 'true' } },
		});
	});

	it('is slow work', () => {
		expect(profileCsv).toMatchObject({ name: 'profile-csv', lane: 'long' });
	});
});

/** A response of unknown length, whose body may break off. */
function plainStream(text: string, headers: HeadersInit, error?: Error): Response {
	const body = new ReadableStream<Uint8Array>({
		pull(controller) {
			if (text !== '') controller.enqueue(new TextEncoder().encode(text));
			else if (error) controller.error(error);
			else controller.close();
			text = '';
		},
	});
	// The body is readable. Only the header claims that it is compressed.
	return new Response(body, { headers, encodeBody: 'manual' });
}
