import { beforeAll, describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { call, statusOf, submit, until } from '../flow/client.ts';

const LAST_MODIFIED = 'Mon, 01 Jun 2026 10:00:00 GMT';
const LATER = 'Tue, 02 Jun 2026 10:00:00 GMT';
const EARLIER = 'Sun, 31 May 2026 10:00:00 GMT';

async function resultWith(headers: Record<string, string>): Promise<StatusDocument> {
	const { document } = await submit('labelled', headers);
	return until(document, 'succeeded');
}

describe('a result that has an ETag and a Last-Modified', () => {
	let job: StatusDocument;
	let weak: StatusDocument;
	let plain: StatusDocument;
	beforeAll(async () => {
		job = await resultWith({ etag: '"v,1"', 'last-modified': LAST_MODIFIED });
		weak = await resultWith({ etag: 'W/"w"' });
		plain = await resultWith({});
	});

	it.each<[string, Record<string, string>, number]>([
		['its ETag', { 'if-none-match': '"v,1"' }, 304],
		['its ETag, said to be weak', { 'if-none-match': 'W/"v,1"' }, 304],
		['its ETag among others', { 'if-none-match': '"a", W/"b" ,"v,1"' }, 304],
		['any', { 'if-none-match': '*' }, 304],
		['another', { 'if-none-match': '"v"' }, 200],
		['another, although the date fits', { 'if-none-match': '"v"', 'if-modified-since': LATER }, 200],
		['nonsense', { 'if-none-match': 'v,1' }, 200],
		['its own date', { 'if-modified-since': LAST_MODIFIED }, 304],
		['a later date', { 'if-modified-since': LATER }, 304],
		['an earlier date', { 'if-modified-since': EARLIER }, 200],
		['a date that is none', { 'if-modified-since': 'yesterday' }, 200],
		['its ETag to match', { 'if-match': '"v,1"' }, 200],
		['any ETag to match', { 'if-match': '*' }, 200],
		['another ETag to match', { 'if-match': '"other"' }, 412],
		['its ETag to match, said to be weak', { 'if-match': 'W/"v,1"' }, 412],
		['not to be newer than it is', { 'if-unmodified-since': LAST_MODIFIED }, 200],
		['not to be newer than before', { 'if-unmodified-since': EARLIER }, 412],
		['a range, which is not served', { range: 'bytes=0-1' }, 200],
	])('asked for with %s is answered as RFC 9110 has it', async (_, headers, status) => {
		for (const method of ['GET', 'HEAD']) {
			const response = await call(job.links.result, { method, headers });
			const body = await response.text();
			expect([method, response.status]).toEqual([method, status]);
			if (status === 412) {
				expect(method === 'HEAD' || JSON.parse(body)).toMatchObject(
					method === 'HEAD' ? {} : { code: 'PreconditionFailed' },
				);
				continue;
			}
			expect(response.headers.get('etag')).toBe('"v,1"');
			expect(response.headers.get('last-modified')).toBe(LAST_MODIFIED);
			expect(body).toBe(status === 200 && method === 'GET' ? 'labelled' : '');
		}
	});

	it('or a weak one, or none, is compared as far as it can be', async () => {
		const statusFor = async ({ links }: StatusDocument, headers: Record<string, string>) => {
			const response = await call(links.result, { headers });
			await response.text();
			return response.status;
		};
		expect(await statusFor(weak, { 'if-none-match': '"w"' })).toBe(304);
		expect(await statusFor(weak, { 'if-match': 'W/"w"' })).toBe(412);
		expect(await statusFor(plain, { 'if-none-match': '"w"' })).toBe(200);
		expect(await statusFor(plain, { 'if-modified-since': LATER })).toBe(200);
		expect(await statusFor(plain, { 'if-unmodified-since': EARLIER })).toBe(200);
	});
});

describe('a command on a job', () => {
	const COMMANDS: [string, string, string][] = [
		['DELETE', '', 'a cancel by DELETE'],
		['POST', '/cancel', 'a cancel'],
		['POST', '/retry', 'a retry'],
		['POST', '/purge', 'a purge'],
	];

	it.each(COMMANDS)('by %s %s does nothing with a precondition that does not hold', async (method, path) => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 });
		const etag = (await call(document.links.operation)).headers.get('etag') ?? '';
		for (const headers of [{ 'if-match': '"wrong"' }, { 'if-match': etag }, { 'if-match': `*, ${etag}` }]) {
			const response = await call(`/v1/jobs/${document.id}${path}`, { method, headers });
			expect([headers, response.status]).toEqual([headers, 412]);
			const [name = '', value] = Object.entries(headers)[0] ?? [];
			const problem = await response.json<{ errors: { header: string; message: string }[] }>();
			expect(problem).toMatchObject({ code: 'PreconditionFailed' });
			expect(problem.errors[0]?.header.toLowerCase()).toBe(name);
			expect(problem.errors[0]?.message).toContain(value);
		}
		expect(await statusOf(document)).toMatchObject({ status: 'pending', seq: document.seq });
	});

	it('is carried out for If-Match: *', async () => {
		const { document } = await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600 });
		const response = await call(document.links.self, { method: 'DELETE', headers: { 'if-match': ' * ' } });
		expect(response.status).toBe(200);
		expect(await statusOf(document)).toMatchObject({ status: 'canceled' });
	});

	it('on a job that is not there is 404, whatever its preconditions are', async () => {
		const headers = { 'if-match': '"wrong"' };
		expect((await call(`/v1/jobs/${'f'.repeat(64)}`, { method: 'DELETE', headers })).status).toBe(404);
	});
});
