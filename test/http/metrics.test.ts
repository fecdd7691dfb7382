/** `GET /metrics`, read as Prometheus reads it. */
import { parse } from 'content-type';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { JobNews } from '../../src/core/job/news.ts';
import { boundedSamples, MAX_LABEL_VALUES, OTHER_VALUES, prometheusText } from '../../src/http/operator/prometheus.ts';
import { newsFor } from '../core/list/news.ts';
import { advanceClock, stopClock } from '../flow/faults.ts';
import { TestTopics } from '../object/topics.ts';
import { apiKeys, ask, bearer, DEPLOYED, key, type Variables } from './deployment.ts';

interface ParsedSample {
	readonly name: string;
	readonly labels: Readonly<Record<string, string>>;
	readonly value: number;
}

const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,|$)/y;

/** Parses the text format strictly. @throws for anything that the format does not allow. */
function parseMetrics(text: string): ParsedSample[] {
	expect(text.endsWith('\n')).toBe(true);
	const typed = new Set<string>();
	return text
		.slice(0, -1)
		.split('\n')
		.flatMap((line) => {
			const [, typedName] = /^# TYPE (\S+) gauge$/.exec(line) ?? [];
			if (typedName !== undefined) expect(typed.has(typedName)).toBe(false);
			if (typedName !== undefined) typed.add(typedName);
			if (line.startsWith('#')) return [];
			const [, name = '', labels = '', value = ''] = SAMPLE.exec(line) ?? [];
			expect(typed, line).toContain(name);
			expect(Number.isNaN(Number(value)), line).toBe(false);
			return [{ name, labels: parseLabels(labels), value: Number(value) }];
		});
}

function parseLabels(text: string): Record<string, string> {
	const labels: Record<string, string> = {};
	LABEL.lastIndex = 0;
	for (let read = 0; read < text.length; read = LABEL.lastIndex) {
		const [, name = '', value = ''] = LABEL.exec(text) ?? [];
		expect(name, `labels at ${read} of ${text}`).not.toBe('');
		labels[name] = value.replace(/\\(.)/g, (_, escaped: string) => (escaped === 'n' ? '\n' : escaped));
	}
	return labels;
}

const NOW = Date.now();
const MINUTE = 60_000;
const DAY = 24 * 60 * MINUTE;

/** A tenant of one test only, with an operator's key. */
function createTenant(more: Variables = {}) {
	const topics = new TestTopics();
	const by = key('ops', crypto.randomUUID(), 'admin');
	const variables = { ...DEPLOYED, API_KEYS: apiKeys(by), TOPICS: topics.namespace, ...more };
	const scrape = async () => {
		const response = await ask(variables, '/metrics', { headers: bearer(by) });
		expect(response.status).toBe(200);
		return { response, samples: parseMetrics(await response.text()) };
	};
	return { tenant: by.tenant, scrape, tell: (...news: JobNews[]) => topics.tell(by.tenant, ...news) };
}

const valuesOf = (samples: readonly ParsedSample[], name: string) =>
	samples.filter((sample) => sample.name === name).map(({ labels, value }) => ({ ...labels, value }));

describe('the text format', () => {
	it('escapes what a label or a help may contain', () => {
		const value = 'a "b"\\\n{c="d"} é';
		const text = prometheusText([{ name: 'm', help: 'one\\\ntwo', samples: [{ labels: { l: value }, value: 1.5 }] }]);
		expect(text.split('\n')[0]).toBe('# HELP m one\\\\\\ntwo');
		expect(parseMetrics(text)).toEqual([{ name: 'm', labels: { l: value }, value: 1.5 }]);
	});

	it('leaves out a metric without samples', () => {
		expect(prometheusText([{ name: 'm', help: '', samples: [] }])).toBe('');
	});

	it('keeps the most frequent values of a label, and adds up the others', () => {
		const counts = Array.from({ length: MAX_LABEL_VALUES + 10 }, (_, index) => ({
			labels: { task: `t${index}`, status: 'failed' },
			count: index + 1,
		}));
		const samples = boundedSamples(counts, ['task']);
		expect(samples).toHaveLength(MAX_LABEL_VALUES + 1);
		expect(samples.find(({ labels }) => labels.task === OTHER_VALUES)?.value).toBe(55);
		const sum = (all: readonly { readonly value: number }[]) => all.reduce((total, { value }) => total + value, 0);
		expect(sum(samples)).toBe(counts.reduce((total, { count }) => total + count, 0));
	});
});

describe('GET /metrics', () => {
	it('has a type that Prometheus 3 accepts, and is not cached', async () => {
		const { response } = await createTenant().scrape();
		const type = response.headers.get('content-type') ?? '';
		expect(parse(type)).toMatchObject({ type: 'text/plain', parameters: { version: '0.0.4', charset: 'utf-8' } });
		expect(response.headers.get('cache-control')).toBe('private, no-store');
	});

	it('counts the jobs of the tenant by task, status and phase, and the failed ones by code', async () => {
		const { tenant, tell, scrape } = createTenant();
		const at = (minutes: number) => ({ createdAt: NOW - minutes * MINUTE, goneAt: NOW + DAY });
		const { goneAt: _, ...queued } = newsFor({ ...at(3), nth: 5 });
		await tell(
			newsFor({ ...at(1), nth: 1, phase: 'succeeded', seq: 3 }),
			newsFor({ ...at(2), nth: 2, phase: 'failed', seq: 3, errorCode: 'Broken' }),
			newsFor({ ...at(90), nth: 3, phase: 'dead-lettered', seq: 3, errorCode: 'DeliveryFailed', task: 'thumbnail' }),
			queued,
		);
		const { samples } = await scrape();
		const jobs = valuesOf(samples, 'coatcheck_jobs');
		expect(jobs).toHaveLength(4);
		expect(jobs).toContainEqual({ tenant, task: 'thumbnail', status: 'failed', phase: 'dead-lettered', value: 1 });
		expect(valuesOf(samples, 'coatcheck_failed_jobs')).toEqual(
			expect.arrayContaining([
				{ tenant, task: 'thumbnail', code: 'DeliveryFailed', value: 1 },
				expect.objectContaining({ code: 'Broken', value: 1 }),
			]),
		);
		// Only what was created in the last hour.
		expect(valuesOf(samples, 'coatcheck_recent_failed_jobs')).toMatchObject([{ code: 'Broken', value: 1 }]);
		const [oldest] = valuesOf(samples, 'coatcheck_oldest_queued_job_age_seconds');
		expect(oldest?.value).toBeGreaterThanOrEqual(180);
		expect(oldest?.value).toBeLessThan(240 + (Date.now() - NOW) / 1_000);
	});

	it('has percentiles of how long recent jobs ran', async () => {
		const { tell, scrape } = createTenant();
		const news = Array.from({ length: 20 }, (_, index) => {
			const one = newsFor({ createdAt: NOW - 30 * MINUTE, goneAt: NOW + DAY, nth: index, phase: 'succeeded', seq: 3 });
			const [startedAt, finishedAt] = [NOW - 20 * MINUTE, NOW - 20 * MINUTE + (index + 1) * 1_000].map((ms) =>
				new Date(ms).toISOString(),
			);
			return {
				...one,
				job: one.job && { ...one.job, startedAt: startedAt ?? '', finishedAt: finishedAt ?? '' },
			} as JobNews;
		});
		await tell(...news);
		expect(valuesOf((await scrape()).samples, 'coatcheck_recent_run_seconds')).toMatchObject([
			{ percentile: '50', value: 11 },
			{ percentile: '95', value: 20 },
		]);
	});

	it('has the lanes of the deployment and the breakers of its upstreams', async () => {
		const { samples } = await createTenant().scrape();
		expect(valuesOf(samples, 'coatcheck_queue_messages').map((sample) => sample.value)).not.toContain(Number.NaN);
		expect(
			samples.filter(({ name, labels }) => name === 'coatcheck_queue_messages' && labels.lane === 'webhooks'),
		).toHaveLength(1);
		expect(valuesOf(samples, 'coatcheck_upstream_breaker')).toEqual([
			{ upstream: 'reports', state: 'closed', value: 1 },
			{ upstream: 'reports', state: 'open', value: 0 },
			{ upstream: 'reports', state: 'half-open', value: 0 },
		]);
		for (const part of valuesOf(samples, 'coatcheck_part_up')) expect(part.value).toBe(1);
	});

	it('has nothing of another tenant', async () => {
		const [theirs, ours] = [createTenant(), createTenant()];
		await theirs.tell(newsFor({ nth: 1, createdAt: NOW - MINUTE, goneAt: NOW + DAY, phase: 'succeeded', seq: 3 }));
		const { samples } = await ours.scrape();
		expect(valuesOf(samples, 'coatcheck_jobs')).toEqual([]);
		expect(JSON.stringify(samples)).not.toContain(theirs.tenant);
	});

	it('says which part it could not read, and leaves out its samples', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		onTestFinished(() => log.mockRestore());
		const broken = { idFromName: (name: string) => name, get: () => ({}) };
		const { samples } = await createTenant({ TOPICS: broken }).scrape();
		expect(valuesOf(samples, 'coatcheck_part_up')).toContainEqual({ part: 'jobs', value: 0 });
		expect(samples.filter(({ name }) => name === 'coatcheck_jobs' || name.includes('queued'))).toEqual([]);
		expect(valuesOf(samples, 'coatcheck_queue_messages').length).toBeGreaterThan(0);
	});

	it('reads its figures at most every 5 seconds', async () => {
		const { tell, scrape } = createTenant();
		stopClock();
		expect(valuesOf((await scrape()).samples, 'coatcheck_jobs')).toEqual([]);
		await tell(newsFor({ nth: 1, createdAt: NOW - MINUTE, goneAt: NOW + DAY, phase: 'succeeded', seq: 3 }));
		expect(valuesOf((await scrape()).samples, 'coatcheck_jobs')).toEqual([]);
		advanceClock(5_000);
		expect(valuesOf((await scrape()).samples, 'coatcheck_jobs')).toHaveLength(1);
	});
});
