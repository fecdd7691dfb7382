/** The name under which a browser or `curl -OJ` saves a result. */
import { describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import type { AttemptLinks } from '../../src/core/job/links.ts';
import { call, submit, until } from '../flow/client.ts';
import { receiver } from '../webhook/receiver.ts';

const nameOf = ({ headers }: Response) => headers.get('content-disposition');

async function ended(task: string, input: unknown): Promise<StatusDocument> {
	return until((await submit(task, input)).document, 'succeeded');
}

/** A job whose external worker gave this result. */
async function completedWith(mediaType: string, body: BodyInit): Promise<StatusDocument> {
	const { document } = await submit('sleep', { seconds: 0, steps: 1, wait: true });
	const { complete } = (await until(document, 'waiting')).progress?.data as AttemptLinks;
	await call(complete, { method: 'POST', headers: { 'content-type': mediaType }, body });
	return document;
}

describe('a result', () => {
	it.each([
		['image/jpeg', 'sleep.jpg'],
		['image/jpg', 'sleep.jpg'],
		['application/pdf', 'sleep.pdf'],
		['text/plain', 'sleep.txt'],
		['Text/CSV; charset=utf-8', 'sleep.csv'],
		['application/problem+json', 'sleep.json'],
		['application/octet-stream', 'sleep.bin'],
	])('of type %s has the file name %s', async (mediaType, name) => {
		const { links } = await completedWith(mediaType, 'bytes');
		expect(nameOf(await call(links.result))).toBe(`inline; filename="${name}"`);
	});

	it('has its name on every way to it', async () => {
		const wanted = 'inline; filename="sleep.json"';
		const { links } = await ended('sleep', { seconds: 0 });
		expect(nameOf(await call(links.result, { method: 'HEAD' }))).toBe(wanted);
		expect(nameOf(await call(`${links.self}&onComplete=inline`))).toBe(wanted);
		const body = JSON.stringify({ seconds: 0 });
		const headers = { 'content-type': 'application/json', prefer: 'wait=20' };
		expect(nameOf(await call('/v1/tasks/sleep/jobs', { method: 'POST', headers, body }))).toBe(wanted);
	});

	it('keeps the name that its task gave', async () => {
		const { links } = await ended('labelled', { 'content-disposition': 'attachment; filename="a.txt"' });
		expect(nameOf(await call(links.result))).toBe('attachment; filename="a.txt"');
	});

	it('of a type without a usual extension has no name, and neither has one without a body', async () => {
		const { links } = await completedWith('application/x-made', 'bytes');
		expect(nameOf(await call(links.result))).toBeNull();
		for (const kind of ['nothing', 'redirect'])
			expect(nameOf(await call((await ended('odd', kind)).links.result))).toBeNull();
	});

	it('of an upstream has no name but its own', async () => {
		receiver('report.example', () => Response.json({ total: 1 }));
		const response = await call('/v1/upstreams/report/x', { headers: { prefer: 'wait=20' } });
		expect([response.status, nameOf(response)]).toEqual([200, null]);
	});
});

describe('a failure', () => {
	it('has no name', async () => {
		const { document } = await submit('sleep', { seconds: 0, error: { code: 'Broken', message: 'As asked' } });
		await until(document, 'failed');
		expect(nameOf(await call(document.links.result))).toBeNull();
	});
});
