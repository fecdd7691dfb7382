/** What somebody on call does, one test each, in a deployment that is open. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/client/index.ts';
import { type Dashboard, startDashboard } from './dashboard.ts';
import { BIG, type FakeUpstream, startFakeUpstream } from './upstream.ts';

const run = promisify(execFile);
let upstream: FakeUpstream;
let dashboard: Dashboard;

beforeAll(async () => {
	upstream = await startFakeUpstream();
	const upstreams = { report: { baseUrl: upstream.origin }, broken: { baseUrl: upstream.origin } };
	dashboard = await startDashboard({ UPSTREAMS: JSON.stringify(upstreams) });
});

afterAll(async () => {
	await dashboard?.stop();
	await upstream?.stop();
});

afterEach(async () => {
	await dashboard.closePages();
	expect(dashboard.complaints.splice(0)).toEqual([]);
});

const failing = (code: string) => ({ seconds: 0, error: { code, message: `The message of ${code}` } });

describe('somebody on call', () => {
	it('sees whether something is wrong: counts, lanes, and the hour before', async () => {
		const { id } = await dashboard.submit(failing('PrinterOnFire'));
		await dashboard.ended(id);
		const page = await dashboard.open('/');
		await page.getByText(/jobs of the last hour failed/).waitFor();
		const failed = page.getByRole('row', { name: /^failed/ });
		expect(Number(await failed.getByRole('cell').nth(1).textContent())).toBeGreaterThan(0);
		expect(await failed.getByRole('cell').nth(2).textContent()).toBe('0');
		expect(await failed.getByRole('cell').nth(3).textContent()).toMatch(/^\+\d/);
		for (const lane of ['jobs', 'long', 'alone', 'webhooks'])
			await page.getByRole('rowheader', { name: lane, exact: true }).waitFor();
	});

	it('filters the list, and the filter is the URL', async () => {
		const tag = 'filtered';
		const jobs = [failing('A'), failing('B'), { seconds: 0 }].map((input) =>
			dashboard.submit(input, { 'coatcheck-tags': tag }),
		);
		for (const { id } of await Promise.all(jobs)) await dashboard.ended(id);
		const page = await dashboard.open(`/jobs?tag=${tag}`);
		await page.getByText('3 jobs match').waitFor();
		await page.getByLabel('Status').selectOption('failed');
		await page.getByText('2 jobs match').waitFor();
		expect(new URL(page.url()).search).toBe(`?status=failed&tag=${tag}`);
		await page.reload();
		await page.getByText('2 jobs match').waitFor();
		expect(await page.getByLabel('Status').inputValue()).toBe('failed');
		await page.getByRole('complementary').getByRole('link', { name: 'A', exact: true }).click();
		await page.getByText('1 job match').waitFor();
		await page.goBack();
		await page.getByText('2 jobs match').waitFor();
		expect(await page.locator('table.jobs tbody tr').count()).toBe(2);
	});

	it('finds a job by its id, its correlation id and its idempotency key', async () => {
		const job = await dashboard.submit({ seconds: 0 }, { 'x-correlation-id': 'order-42', 'idempotency-key': 'key-42' });
		await dashboard.ended(job.id);
		const page = await dashboard.open('/');
		for (const text of [job.id, job.links.self, 'order-42', 'key-42']) {
			await page.getByRole('searchbox').fill(text);
			await page.getByRole('button', { name: 'Find' }).click();
			await page.waitForURL(`${dashboard.origin}/jobs/${job.id}`);
			await page.goto(`${dashboard.origin}/`);
		}
	});

	it('sees failures by error code and by task, with a link to their jobs', async () => {
		const { id } = await dashboard.submit(failing('OnlyHere'));
		await dashboard.ended(id);
		const page = await dashboard.open('/');
		await page.getByRole('link', { name: 'OnlyHere' }).click();
		await page.getByText('1 job match').waitFor();
		const query = new URL(page.url()).searchParams;
		expect([query.get('status'), query.get('errorCode')]).toEqual(['failed', 'OnlyHere']);
		// As the number that was clicked: only those of the last hour.
		expect(Date.now() - Date.parse(query.get('createdAfter') ?? '')).toBeLessThan(3_700_000);
	});

	it('sees the attempts of a job, its waits, and why it waits now', async () => {
		const { id } = await dashboard.submit({ seconds: 0, wait: true, failAttempts: 1 });
		const page = await dashboard.open(`/jobs/${id}`);
		await page.getByText('An external worker has the attempt').waitFor();
		const steps = page.locator('.timeline tbody th');
		await page.getByRole('rowheader', { name: /Attempt 2/ }).waitFor();
		expect((await steps.allTextContents()).map((text) => text.replace(/no earlier than.*/, ''))).toEqual([
			'Waits for its first attempt ',
			'Attempt 1 failedAttempt 1 of 4 failed: Attempt 1 failed on request',
			'Waits for attempt 2 ',
			'Attempt 2 running',
		]);
		await dashboard.send(`/v1/jobs/${id}/cancel`, { method: 'POST' });
	});

	it('sees why a job has not started', async () => {
		const { id } = await dashboard.submit({ seconds: 0 }, { 'coatcheck-delay-seconds': '600' });
		const page = await dashboard.open(`/jobs/${id}`);
		await page.getByText(/asked for a delay.*The next attempt starts in 9 min/).waitFor();
	});

	it('sees a result with exact numbers, and an input', async () => {
		const { id } = await dashboard.send<StatusDocument>('/v1/upstreams/report/big', { method: 'POST', body: BIG });
		await dashboard.ended(id);
		const page = await dashboard.open(`/jobs/${id}`);
		await page.getByRole('button', { name: 'Show result' }).click();
		await page.getByText('"big": 9007199254740993,\n  "price": 1.10').waitFor();
		const failed = await dashboard.submit(failing('WithInput'));
		await dashboard.ended(failed.id);
		await page.goto(`${dashboard.origin}/jobs/${failed.id}`);
		await page.getByText('The message of WithInput').first().waitFor();
		await page.getByRole('button', { name: 'Show input' }).click();
		await page.getByText('"code": "WithInput"').waitFor();
	});

	it('sees an image only on request', async () => {
		const { id } = await dashboard.send<StatusDocument>('/v1/upstreams/report/image', { method: 'POST', body: '{}' });
		await dashboard.ended(id);
		const page = await dashboard.open(`/jobs/${id}`);
		await page.getByRole('button', { name: 'Show result' }).click();
		expect(await page.locator('img').count()).toBe(0);
		await page.getByRole('button', { name: 'Show the image' }).click();
		await page.waitForFunction(() => document.querySelector('img')?.naturalWidth === 1);
	});

	it('watches a job live, and pauses the page', async () => {
		const { id } = await dashboard.submit({ seconds: 150, steps: 100 });
		const page = await dashboard.open(`/jobs/${id}`);
		const progress = page.getByRole('progressbar');
		await progress.waitFor();
		const value = async () => Number(await progress.getAttribute('value'));
		await expect.poll(value).toBeGreaterThan(3);
		await page.getByRole('button', { name: 'Pause' }).click();
		await page.getByText('Paused: nothing on this page changes').waitFor();
		const paused = await value();
		await page.waitForTimeout(3_000);
		expect(await value()).toBe(paused);
		await page.getByRole('button', { name: 'Resume' }).click();
		await expect.poll(value).toBeGreaterThan(paused);
		await dashboard.send(`/v1/jobs/${id}/cancel`, { method: 'POST' });
		await page.getByRole('heading', { name: 'sleep' }).locator('..').getByText('canceled').waitFor();
	});

	it('goes on when the connection is open at its own end only', async () => {
		const { id } = await dashboard.submit({ seconds: 120 });
		const page = await dashboard.open('/');
		await page.clock.install();
		const received: string[] = [];
		let opened = 0;
		await page.routeWebSocket(/\/socket$/, (socket) => {
			// The first one takes everything, and never answers.
			if (++opened === 1) socket.onMessage((text) => received.push(String(text)));
			else socket.connectToServer();
		});
		await page.goto(`${dashboard.origin}/jobs/${id}`);
		await expect.poll(() => opened).toBe(1);
		await expect.poll(() => page.clock.runFor(5_000).then(() => opened)).toBe(2);
		expect(received).toEqual(['ping']);
		await dashboard.send(`/v1/jobs/${id}/cancel`, { method: 'POST' });
		await page.locator('.title').getByText('canceled').waitFor();
	});

	it('cancels a job, and sees it land', async () => {
		const { id } = await dashboard.submit({ seconds: 120 });
		const page = await dashboard.open(`/jobs/${id}`);
		await page.locator('.title').getByText('running').waitFor();
		await page.getByRole('button', { name: 'Cancel' }).click();
		await page.locator('.title').getByText('canceled').waitFor();
		expect((await dashboard.ended(id)).status).toBe('canceled');
	});

	it('retries a job', async () => {
		const { id } = await dashboard.submit(failing('Again'));
		await dashboard.ended(id);
		const page = await dashboard.open(`/jobs/${id}`);
		await page.getByRole('button', { name: 'Retry', exact: true }).click();
		await expect.poll(() => page.getByRole('rowheader', { name: /^Attempt/ }).count()).toBe(2);
	});

	it('retries a job with another input, in a form with the old one', async () => {
		const { id } = await dashboard.submit(failing('Edited'));
		await dashboard.ended(id);
		const page = await dashboard.open(`/jobs/${id}`);
		await page.getByRole('button', { name: 'Retry with another input' }).click();
		const code = page.getByLabel('error.code');
		expect(await code.inputValue()).toBe('Edited');
		await code.fill('');
		await page.getByLabel('error.message').fill('');
		await page.getByRole('button', { name: 'Submit' }).click();
		await page.waitForURL((url) => url.pathname.startsWith('/jobs/') && !url.pathname.endsWith(id));
		await page.locator('.title').getByText('succeeded').waitFor();
	});

	it('acts on all jobs that match, after it was told how many', async () => {
		const tag = 'bulk';
		const jobs = Array.from({ length: 5 }, () => dashboard.submit(failing('Bulk'), { 'coatcheck-tags': tag }));
		for (const { id } of await Promise.all(jobs)) await dashboard.ended(id);
		const page = await dashboard.open(`/jobs?tag=${tag}`);
		await page.getByRole('button', { name: 'Retry all' }).click();
		await page.getByText('5 jobs match now: tag bulk.').waitFor();
		await page.getByRole('button', { name: 'Retry 5 jobs' }).click();
		await page.waitForURL(/\/actions\/[0-9a-f]{64}$/);
		await page.locator('.lead').getByText('succeeded').waitFor();
		expect(await page.locator('dl.facts dd').first().textContent()).toBe('5');
	});

	it('stops a bulk action', async () => {
		const tag = 'stopped';
		const delayed = { 'coatcheck-tags': tag, 'coatcheck-delay-seconds': '600' };
		await Promise.all(Array.from({ length: 30 }, () => dashboard.submit({ seconds: 0 }, delayed)));
		const page = await dashboard.open(`/jobs?tag=${tag}`);
		await page.getByText('30 jobs match').waitFor();
		// The action is over in a moment. The page shows an action that is not, as the service would.
		await page.route('**/v1/actions/*', async (route) => {
			if (route.request().method() === 'DELETE') return route.fulfill({ json: { ...UNFINISHED, phase: 'canceling' } });
			return route.fulfill({ json: UNFINISHED });
		});
		await page.getByRole('button', { name: 'Cancel all' }).click();
		await page.getByRole('button', { name: 'Cancel 30 jobs' }).click();
		await page.getByRole('button', { name: 'Stop' }).click();
		await page.locator('.lead').getByText('canceling').waitFor();
		expect(await page.getByRole('button', { name: 'Stop' }).isDisabled()).toBe(true);
	});

	it('sees the breaker of an upstream, and closes it', async () => {
		for (let index = 0; index < 6; index++)
			await dashboard.send('/v1/upstreams/broken/fails', { method: 'POST', body: '{}' });
		const page = await dashboard.open('/upstreams');
		const row = page.getByRole('row', { name: /^broken/ });
		await expect
			.poll(async () => {
				await page.reload();
				await row.waitFor();
				return row.textContent();
			})
			.toMatch(/open/);
		await row.getByRole('button', { name: 'Close the breaker' }).click();
		await row.getByText('closed').waitFor();
	});

	it('sees the deliveries of a webhook, and sends one again', async () => {
		const hook = { 'coatcheck-webhook-url': `${upstream.origin}/hook` };
		const { id } = await dashboard.submit({ seconds: 0 }, hook);
		await dashboard.ended(id);
		const page = await dashboard.open(`/jobs/${id}`);
		const received = () =>
			upstream.received.filter(({ path, headers }) => path === '/hook' && headers['webhook-id']?.includes(id));
		await page.getByText('delivered').waitFor();
		expect(received()).toHaveLength(1);
		await page.getByRole('button', { name: /^Send again/ }).click();
		await expect.poll(() => received().length).toBe(2);
	});

	it('follows a topic live, stops it and continues', async () => {
		const publish = (type: string) =>
			dashboard.send('/v1/topics/pictures/events', {
				method: 'POST',
				headers: { 'coatcheck-event-type': type },
				body: '{"name":"galaxy.jpg"}',
			});
		await publish('first');
		const page = await dashboard.open('/topics');
		await page.getByRole('link', { name: 'pictures' }).click();
		await page.getByRole('link', { name: 'From the first event' }).click();
		await page.getByRole('cell', { name: 'first' }).waitFor();
		await publish('second');
		await page.getByRole('cell', { name: 'second' }).waitFor();
		await page.getByRole('button', { name: 'Stop' }).click();
		await page.getByRole('button', { name: 'Continue' }).waitFor();
		await publish('third');
		await page.waitForTimeout(1_000);
		expect(await page.getByRole('cell', { name: 'third' }).count()).toBe(0);
		await page.getByRole('button', { name: 'Continue' }).click();
		await page.getByRole('cell', { name: 'third' }).waitFor();
	});

	it('sees when a topic is out of reach, and when no longer', async () => {
		const page = await dashboard.open('/topics');
		await page.route('**/v1/topics/quiet/events*', (route) => route.fulfill({ status: 503 }));
		await page.getByLabel(/^Name of a topic/).fill('quiet');
		await page.getByRole('button', { name: 'Open' }).click();
		const alert = page.getByRole('alert');
		await alert.getByText('The service answered 503').first().waitFor();
		await page.unroute('**/v1/topics/quiet/events*');
		await alert.first().waitFor({ state: 'detached' });
		await page.getByText('Waiting for an event…').waitFor();
	});

	it('is told of no gap in a topic of which nothing is shown for long', async () => {
		const page = await dashboard.open('/topics');
		const cursors: (string | null)[] = [];
		await page.route('**/v1/topics/idle/events*', (route) => {
			const cursor = new URL(route.request().url()).searchParams.get('after');
			if (cursor === 'now') return route.fulfill({ json: { events: [], lastSeq: 3 } });
			cursors.push(cursor);
			return route.fulfill({ contentType: 'text/event-stream', body: 'id: 41\n\n' });
		});
		await page.getByLabel(/^Name of a topic/).fill('idle');
		await page.getByRole('button', { name: 'Open' }).click();
		await expect.poll(() => cursors.slice(0, 2), { timeout: 20_000 }).toEqual(['3', '41']);
	});

	it('sees why a topic is refused, which is asked for once', async () => {
		const page = await dashboard.open('/topics');
		await page.clock.install();
		const asked: string[] = [];
		await page.route('**/v1/topics/closed/events*', (route) => {
			asked.push(route.request().url());
			return route.fulfill({ status: 403, json: { title: 'Forbidden', status: 403 } });
		});
		await page.getByLabel(/^Name of a topic/).fill('closed');
		await page.getByRole('button', { name: 'Open' }).click();
		await page.getByRole('alert').getByText('Forbidden').first().waitFor();
		await page.getByText('Stopped.').waitFor();
		await page.clock.runFor(60_000);
		expect(asked).toHaveLength(1);
	});

	it('submits a job once, although the answer is lost', async () => {
		const page = await dashboard.open('/submit/sleep');
		const ids: string[] = [];
		await page.route('**/v1/tasks/sleep/jobs', async (route) => {
			const response = await route.fetch();
			ids.push(((await response.json()) as StatusDocument).id);
			await (ids.length < 3 ? route.fulfill({ status: 502 }) : route.fulfill({ response }));
		});
		await page.getByLabel('seconds (required)').fill('0');
		for (const tries of [1, 2]) {
			await page.getByRole('button', { name: 'Submit' }).click();
			await expect.poll(() => ids.length).toBe(tries);
			await page.getByRole('alert').getByText('The service answered 502').first().waitFor();
		}
		await page.getByLabel('seconds (required)').fill('1');
		await page.getByRole('button', { name: 'Submit' }).click();
		await page.waitForURL(/\/jobs\/[0-9a-f]{64}$/);
		expect(ids[1]).toBe(ids[0]);
		expect(ids[2]).not.toBe(ids[0]);
	});

	it('keeps no bytes of a page that was left', async () => {
		const { id } = await dashboard.submit(failing('Downloaded'));
		await dashboard.ended(id);
		const page = await dashboard.open(`/jobs/${id}`);
		await page.evaluate(() => {
			const kept = new Set<string>();
			const [make, revoke] = [URL.createObjectURL, URL.revokeObjectURL];
			URL.createObjectURL = (blob) => {
				const url = make(blob);
				kept.add(url);
				return url;
			};
			URL.revokeObjectURL = (url) => {
				kept.delete(url);
				revoke(url);
			};
			Object.assign(globalThis, { kept });
		});
		const kept = () => page.evaluate(() => (globalThis as unknown as { kept: Set<string> }).kept.size);
		await page.getByRole('button', { name: 'Show input' }).click();
		await page.getByRole('link', { name: 'Download' }).waitFor();
		expect(await kept()).toBe(1);
		await page.getByRole('link', { name: /^Wire view/ }).click();
		await page.getByText('HTTP 202 Accepted').waitFor();
		expect(await kept()).toBe(0);
	});

	it('submits a job by a form made of the schema, and is told what is wrong', async () => {
		const page = await dashboard.open('/submit');
		await page.getByRole('link', { name: 'sleep' }).click();
		await page.getByLabel('seconds (required)').fill('-1');
		await page.getByRole('button', { name: 'Submit' }).click();
		await page.getByRole('alert').getByText('/seconds').waitFor();
		await page.getByLabel('seconds (required)').fill('0');
		await page.getByText('Options').click();
		await page.getByLabel('Tags').fill('by-form');
		await page.getByRole('button', { name: 'Submit' }).click();
		await page.locator('.title').getByText('succeeded').waitFor();
		await page.getByRole('link', { name: 'by-form' }).waitFor();
	});

	it('submits a file', async () => {
		const page = await dashboard.open('/submit/profile-csv');
		await page.getByRole('button', { name: 'File' }).click();
		await page
			.getByLabel('File')
			.setInputFiles({ name: 'a.csv', mimeType: 'text/csv', buffer: Buffer.from('a,b\n1,2\n') });
		await page.getByRole('button', { name: 'Submit' }).click();
		await page.locator('.title').getByText('succeeded').waitFor();
	});

	it('sees who did what', async () => {
		await dashboard.send('/v1/actions', {
			method: 'POST',
			body: JSON.stringify({ action: 'cancel', filter: { tag: 'in-the-log' } }),
		});
		const page = await dashboard.open('/actions');
		await page.getByRole('link', { name: 'cancel: tag in-the-log' }).click();
		await page.waitForURL(/\/actions\/[0-9a-f]{64}$/);
	});

	it('reads the HTTP of a job, with command lines that work', async () => {
		const hook = { 'coatcheck-webhook-url': `${upstream.origin}/hook` };
		const { id } = await dashboard.submit({ seconds: 0 }, hook);
		await dashboard.ended(id);
		const page = await dashboard.open(`/jobs/${id}/wire`);
		await page.getByText('HTTP 303 See Other').waitFor();
		await page.getByText('HTTP 202 Accepted').waitFor();
		await page.getByText('HTTP 304 Not Modified').waitFor();
		await page.getByText('Webhook-Signature: v1,').waitFor();
		const lines = await page.getByRole('group', { name: /^Command line/ }).allTextContents();
		const statuses: string[] = [];
		for (const line of lines.filter((line) => !line.includes('@input')))
			statuses.push((await run('sh', ['-c', line])).stdout.split(' ')[1] ?? '');
		expect(statuses).toEqual(['303', '200', '304', '200', '200', '202']);
		const failed = await dashboard.submit(failing('SubmittedAgain'));
		await dashboard.ended(failed.id);
		await page.goto(`${dashboard.origin}/jobs/${failed.id}/wire`);
		const submission = await page.getByRole('group', { name: 'Command line: Submit' }).textContent();
		expect((await run('sh', ['-c', submission ?? ''])).stdout).toMatch(/^HTTP\/1.1 202 /);
	});
});

const UNFINISHED = {
	id: 'f'.repeat(64),
	action: 'cancel',
	filter: { tag: 'stopped' },
	status: 'running',
	phase: 'running',
	matched: 30,
	done: 10,
	refused: 0,
	percentComplete: 33,
	createdAt: new Date().toISOString(),
	lastUpdatedAt: new Date().toISOString(),
	correlationId: 'c',
	links: { self: '', events: '' },
};
