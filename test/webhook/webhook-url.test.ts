/** The path of a webhook's URL often is a secret: the tenant's key sees it, and no link does. */
import { describe, expect, it } from 'vitest';
import type { JobEvent, StatusDocument } from '../../src/core/job/document.ts';
import { call, eventsOf, submit, watch } from '../flow/client.ts';

const URL_WITH_SECRETS = 'https://hooks.example/services/T0/B0/secret?token=another';

async function hookedJob(): Promise<StatusDocument> {
	const webhook = { url: URL_WITH_SECRETS };
	return (await submit('sleep', { seconds: 0 }, { delaySeconds: 3_600, webhook })).document;
}

const urlIn = ({ webhook }: StatusDocument) => webhook?.url;

describe('the URL of a webhook in the status document', () => {
	it('is its origin by a link, on every transport', async () => {
		const job = await hookedJob();
		const read = await (await call(job.links.operation)).json<StatusDocument>();
		const [event] = await eventsOf(job);
		const watcher = await watch(job, 0);
		await call(job.links.self, { method: 'DELETE' });
		await watcher.closed;
		for (const document of [read, event?.job, ...watcher.events.map(({ job }) => job)].filter(
			(one) => one !== undefined,
		))
			expect(urlIn(document)).toBeOneOf(['https://hooks.example', undefined]);
		expect(urlIn(read)).toBe('https://hooks.example');
		expect(JSON.stringify(watcher.events)).not.toContain('/services/');
	});

	it('has its path for a reader with a key, and never its query', async () => {
		const job = await hookedJob();
		expect(urlIn(job)).toBe('https://hooks.example/services/T0/B0/secret');
		const read = await (await call(`/v1/operations/${job.id}`)).json<StatusDocument>();
		expect(urlIn(read)).toBe('https://hooks.example/services/T0/B0/secret');
		const page = await (await call(`/v1/jobs/${job.id}/events`)).json<{ events: JobEvent[] }>();
		expect(page.events.map((event) => urlIn(event.job))).toEqual(['https://hooks.example/services/T0/B0/secret']);
		await call(job.links.self, { method: 'DELETE' });
	});
});
