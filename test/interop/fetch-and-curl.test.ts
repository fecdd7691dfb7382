import { once } from 'node:events';
import { request as httpRequest, type IncomingMessage } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { curl, run } from './curl.ts';
import { type StatusDocument, sleepJob, submit, until } from './jobs.ts';
import { type Server, startServer } from './server.ts';

let server: Server;
beforeAll(async () => {
	await run('curl', ['--version']);
	server = await startServer();
	return () => server.stop();
});

const MS_PER_SECOND = 1_000;
const JSON_TYPE = ['-H', 'Content-Type: application/json'];
/** The default limit is 32 MiB. */
const TOO_LARGE_BYTES = 33 * 1_024 * 1_024;

/** A valid body of any size: JSON may end in spaces. */
function paddedJob(bytes: number): string {
	return sleepJob({ seconds: 0 }).padEnd(bytes);
}

/** A table of numbered rows, of this size or one row more. */
function csvOf(bytes: number): { readonly csv: string; readonly rows: number } {
	const lines = ['row,square'];
	let length = 0;
	for (let row = 1; length < bytes; row++) length += lines[lines.push(`${row},${row ** 2}`) - 1]?.length ?? 0;
	return { csv: lines.join('\n'), rows: lines.length - 1 };
}

function jobsUrl(): string {
	return `${server.origin}/v1/jobs`;
}

describe('fetch', { concurrent: true }, () => {
	/** Polls until the job ends, as often as `Retry-After` says. */
	async function fetchUntilOver(url: string): Promise<Response> {
		const response = await fetch(url);
		const retryAfter = response.headers.get('retry-after');
		if (retryAfter === null) return response;
		await response.body?.cancel();
		await wait(Number(retryAfter) * MS_PER_SECOND);
		return fetchUntilOver(url);
	}

	it('follows the redirect of a job that succeeded to its result by itself', async () => {
		const { links } = await submit(server.origin, sleepJob({ seconds: 0.3, steps: 1 }));
		const response = await fetchUntilOver(links.self);
		expect(response.redirected).toBe(true);
		expect(response.url).toBe(links.result);
		// A redirect drops credentials in headers, so this URL has its own.
		expect(new URL(response.url).searchParams.get('token')).not.toBeNull();
		expect(response.status).toBe(200);
		expect(await response.json()).toEqual({ sleptSeconds: 0.3, attempt: 1 });
	});

	it('is not redirected while the job is unfinished, and is told when to come again', async () => {
		const { links } = await submit(server.origin, sleepJob({ seconds: 0 }, { delaySeconds: 600 }));
		const response = await fetch(links.self);
		expect([response.status, response.redirected]).toEqual([200, false]);
		expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(25);
		expect(await response.json()).toMatchObject({ status: 'pending', phase: 'delayed' });
	});

	it('is not redirected to the result of a job that failed, and has nothing more to wait for', async () => {
		const error = { code: 'Nope', message: 'It was not to be' };
		const { links } = await submit(server.origin, sleepJob({ seconds: 0, error }));
		const response = await fetchUntilOver(links.self);
		expect([response.status, response.redirected]).toEqual([200, false]);
		expect(await response.json()).toMatchObject({ status: 'failed', error });
	});
});

describe('curl', { concurrent: true }, () => {
	it('submits, and is answered with the document and where to ask', async () => {
		const answer = await curl(['-d', sleepJob({ seconds: 0 }), ...JSON_TYPE, jobsUrl()]);
		const { links } = JSON.parse(answer.body) as StatusDocument;
		expect([answer.exitCode, answer.status]).toEqual([0, 202]);
		expect(answer.headers.get('location')).toBe(links.self);
		expect(answer.headers.get('operation-location')).toBe(links.operation);
		expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
	});

	it('gets the result with -L in a loop of the shell', async () => {
		const { links } = await submit(server.origin, sleepJob({ seconds: 0.3, steps: 1 }));
		const { exitCode, stdout, stderr } = await run('sh', ['-euc', POLL_LOOP, 'sh', links.self]);
		expect([exitCode, stderr]).toEqual([0, '']);
		expect(JSON.parse(stdout)).toEqual({ sleptSeconds: 0.3, attempt: 1 });
	});

	it('gets the result with -L in one command when it prefers to wait', async () => {
		const { links } = await submit(server.origin, sleepJob({ seconds: 0.3, steps: 1 }));
		const answer = await curl(['-L', '-H', 'Prefer: wait=20', links.self]);
		expect([answer.exitCode, answer.status, answer.redirects]).toEqual([0, 200, 1]);
		expect(JSON.parse(answer.body)).toEqual({ sleptSeconds: 0.3, attempt: 1 });
	});

	it.each([12_000, 5_000_000])('submits a body of %i bytes of JSON', async (bytes) => {
		const answer = await curl(['--data-binary', '@-', ...JSON_TYPE, jobsUrl()], paddedJob(bytes));
		expect([answer.exitCode, answer.complaint, answer.status]).toEqual([0, '', 202]);
	});

	it.each([12_000, 5_000_000])('has a file of %i bytes worked on, whole', async (bytes) => {
		const { csv, rows } = csvOf(bytes);
		const csvType = ['-H', 'Content-Type: text/csv'];
		const url = `${server.origin}/v1/tasks/profile-csv/jobs`;
		const submitted = await curl(['--data-binary', '@-', ...csvType, url], csv);
		expect([submitted.exitCode, submitted.complaint, submitted.status]).toEqual([0, '', 202]);
		const { links } = await until(JSON.parse(submitted.body) as StatusDocument, 'succeeded');
		const answer = await curl(['-L', links.self]);
		expect([answer.exitCode, answer.redirects]).toEqual([0, 1]);
		const { sizeBytes, columns } = JSON.parse(answer.body) as { sizeBytes: number; columns: unknown };
		expect(sizeBytes).toBe(csv.length);
		expect(columns).toMatchObject([
			{ name: 'row', count: rows, min: 1, max: rows },
			{ name: 'square', count: rows, max: rows ** 2 },
		]);
	});

	it.each([
		['says its size and waits for leave to send it', ['--data-binary', '@-']],
		['says its size and is sent at once', ['--data-binary', '@-', '-H', 'Expect:']],
		['comes in chunks', ['-X', 'POST', '-T', '-']],
		['comes in chunks at once', ['-X', 'POST', '-T', '-', '-H', 'Expect:']],
	])('can read why a body that is too large is refused, when it %s', async (_, how) => {
		const answer = await curl([...how, ...JSON_TYPE, jobsUrl()], paddedJob(TOO_LARGE_BYTES));
		expect([answer.exitCode, answer.complaint, answer.status]).toEqual([0, '', 413]);
		expect(answer.headers.get('content-type')).toBe('application/problem+json');
		expect(JSON.parse(answer.body)).toMatchObject({ status: 413, code: 'PayloadTooLarge' });
	});

	it('is never cut off in mid-upload, however much more it goes on sending', async () => {
		const endless = Buffer.alloc(100_000_000, ' ');
		// A server that stops reading delivers its response only some of the time, hence several tries.
		for (let time = 1; time <= 4; time++) {
			const answer = await curl(['-X', 'POST', '-T', '-', '-H', 'Expect:', ...JSON_TYPE, jobsUrl()], endless);
			expect([answer.exitCode, answer.complaint, answer.status]).toEqual([0, '', 413]);
		}
	}, 300_000);

	it('is told in a problem that its JSON is broken', async () => {
		const answer = await curl(['-d', '{ "task": "sleep", ', ...JSON_TYPE, jobsUrl()]);
		expect([answer.exitCode, answer.status]).toEqual([0, 400]);
		expect(answer.headers.get('content-type')).toBe('application/problem+json');
		expect(JSON.parse(answer.body)).toMatchObject({ status: 400, code: 'InvalidRequest', instance: '/v1/jobs' });
	});

	it('that sends JSON as a form, for that is its default, is told what to send', async () => {
		const answer = await curl(['-d', sleepJob({ seconds: 0 }), jobsUrl()]);
		expect([answer.exitCode, answer.status]).toEqual([0, 415]);
		expect(answer.headers.get('accept-post')).toBe('application/json');
		expect(JSON.parse(answer.body)).toMatchObject({ code: 'UnsupportedMediaType' });
	});

	it('is answered to HEAD with what it would be told of a GET', async () => {
		const document = await submit(server.origin, sleepJob({ seconds: 0 }));
		await until(document, 'succeeded');
		const { self, operation, result } = document.links;
		for (const [url, status] of [
			[self, 303],
			[operation, 200],
			[result, 200],
			[`${jobsUrl()}/${'0'.repeat(64)}`, 404],
		] as const) {
			// A response without a job has a new correlation id, unless the client sends one.
			const named = ['-H', 'x-correlation-id: of-both', url];
			const [head, get] = [await curl(['-I', ...named]), await curl(named)];
			expect([head.exitCode, head.status, get.status]).toEqual([0, status, status]);
			for (const name of ['content-type', 'location', 'etag', 'retry-after', 'cache-control', 'x-correlation-id'])
				expect(head.headers.get(name), name).toBe(get.headers.get(name));
			// RFC 9110 §8.6: the same length as for GET, or none.
			expect([get.headers.get('content-length'), null]).toContain(head.headers.get('content-length'));
		}
	});
});

describe('a client that sends a body with its HEAD', () => {
	it.each([
		['/v1/tasks', 200],
		[`/v1/jobs/${'0'.repeat(64)}?token=forged`, 401],
		['/v1/nowhere', 404],
	])('gets %s answered as GET is: %i', async (path, status) => {
		const request = httpRequest(`${server.origin}${path}`, { method: 'HEAD', headers: { 'content-length': 5 } });
		request.end('hello');
		const [response] = (await once(request, 'response')) as [IncomingMessage];
		response.resume();
		expect(response.statusCode).toBe(status);
	});
});

/** A poll loop as a user would write it: `$1` is the job's `Location`. */
const POLL_LOOP = `
	folder=$(mktemp -d)
	trap 'rm -r "$folder"' EXIT
	while
		redirects=$(curl -sS -L -D "$folder/head" -o "$folder/body" -w '%{num_redirects}' "$1")
		test "$redirects" = 0
	do
		sleep "$(grep -i '^retry-after:' "$folder/head" | tr -dc 0-9)"
	done
	cat "$folder/body"
`;
