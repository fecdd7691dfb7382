import { describe, expect, it } from 'vitest';
import { afterActionEvent } from '../../dashboard/src/pure/action-event.ts';
import { afterEvent, awaitsDelivery, withEvent, withLiveEvents } from '../../dashboard/src/pure/job-event.ts';
import { findTroubles, hourQuery, ranked } from '../../dashboard/src/pure/overview.ts';
import { isImage, isText } from '../../dashboard/src/pure/payload.ts';
import { dataText, readEvent, withTopicEvents } from '../../dashboard/src/pure/topic.ts';
import type { ActionDocument, JobCounts, JobEvent, StatusDocument } from '../../src/client/index.ts';

const JOB = {
	id: '1',
	status: 'running',
	seq: 4,
	links: { self: 'self', cancel: 'cancel' },
	webhook: { url: 'https://hooks.example/path', deliveries: [] },
} as unknown as StatusDocument;

function progress(seq: number, type: JobEvent['type'] = 'progress'): JobEvent {
	const webhook = { url: 'https://hooks.example', deliveries: [] };
	return { seq, type, at: '', job: { ...JOB, seq, links: { self: 'other' }, webhook } as unknown as StatusDocument };
}

describe('a job after an event', () => {
	it('keeps the links and the webhook of the key, which sees more than the socket', () => {
		expect(afterEvent(JOB, progress(5))).toMatchObject({ seq: 5, links: JOB.links, webhook: JOB.webhook });
	});

	it('does not go back', () => {
		expect(afterEvent(JOB, progress(3))).toBe(JOB);
	});

	it('keeps only the newest progress among its events', () => {
		const events = [progress(1, 'accepted'), progress(2, 'started'), progress(3)];
		expect(withEvent(events, progress(4)).map(({ seq }) => seq)).toEqual([1, 2, 4]);
		expect(withEvent(events, progress(9, 'snapshot'))).toBe(events);
		expect(withEvent(events, progress(3))).toBe(events);
	});

	it('shows what came by socket before its history, and after', () => {
		const live = [progress(3, 'retrying'), progress(4, 'started')];
		const seqs = (history: readonly JobEvent[]) => withLiveEvents(history, live).map(({ seq }) => seq);
		expect(seqs([progress(1, 'accepted'), progress(2, 'started')])).toEqual([1, 2, 3, 4]);
		expect(seqs([progress(1, 'accepted'), progress(2, 'started'), ...live])).toEqual([1, 2, 3, 4]);
		expect(seqs([])).toEqual([3, 4]);
	});

	it('is read again while a delivery is pending', () => {
		const webhook = { url: '', deliveries: [{ seq: 1, attempt: 1, status: 'pending' }] } as const;
		expect([awaitsDelivery(JOB), awaitsDelivery({ ...JOB, webhook })]).toEqual([false, true]);
	});
});

it('an action takes its counts from an event of its job', () => {
	const action = { status: 'running', matched: 9, done: 0, refused: 0, percentComplete: 0 } as ActionDocument;
	const job = { status: 'running', phase: 'running', percentComplete: 40, progress: { data: { done: 3, refused: 1 } } };
	expect(afterActionEvent(action, JSON.stringify({ seq: 1, job }))).toMatchObject({
		matched: 9,
		done: 3,
		refused: 1,
		percentComplete: 40,
	});
});

describe('the overview', () => {
	const now = Date.parse('2026-01-01T12:00:00Z');

	it('asks for an hour, and for the one before', () => {
		expect(String(hourQuery(now, 0))).toBe('createdAfter=2026-01-01T11%3A00%3A00.000Z');
		expect(Object.fromEntries(hourQuery(now, 1))).toEqual({
			createdAfter: '2026-01-01T10:00:00.000Z',
			createdBefore: '2026-01-01T11:00:00.000Z',
		});
	});

	it('names what is wrong, and nothing else', () => {
		const lastHour = { total: 9, byStatus: { failed: 2 } } as unknown as JobCounts;
		const lanes = [
			{ name: 'long', backlog: 3, oldestMessageAt: '2026-01-01T11:58:00Z' },
			{ name: 'jobs', backlog: 3, oldestMessageAt: '2026-01-01T11:59:59Z' },
		];
		const upstreams = [
			{ name: 'report', breaker: 'open' as const },
			{ name: 'b', breaker: 'closed' as const },
		];
		expect(findTroubles({ nowMs: now, lastHour, lanes, upstreams })).toEqual([
			'The breaker of report is not closed.',
			'Messages of lane long wait for more than a minute.',
			'2 of 9 jobs of the last hour failed.',
		]);
		expect(findTroubles({ nowMs: now, lastHour: undefined, lanes: [], upstreams: [] })).toEqual([]);
	});

	it('ranks counts, and leaves out zeros', () => {
		expect(ranked({ b: 2, a: 2, c: 5, d: 0 })).toEqual([
			['c', 5],
			['a', 2],
			['b', 2],
		]);
	});
});

it('a topic shows its newest events first, and no more than 200', () => {
	const event = (seq: number) => ({ seq, type: 't', at: '', text: '' });
	const many = Array.from({ length: 300 }, (_, index) => event(index + 1));
	const shown = withTopicEvents(withTopicEvents([], many), [event(301)]);
	expect([shown.length, shown[0]?.seq, shown.at(-1)?.seq]).toEqual([200, 301, 102]);
});

it('shows as text or as an image only what is safe to', () => {
	expect(['text/plain; charset=utf-8', 'application/problem+json', 'application/octet-stream'].map(isText)).toEqual([
		true,
		true,
		false,
	]);
	expect(['image/png', 'image/svg+xml', 'text/html'].map(isImage)).toEqual([true, false, false]);
});

it('the data of a topic’s event is shown as it was sent, with exact numbers', () => {
	const at = '2026-01-01T12:00:00.000Z';
	const sent = readEvent(
		`{"seq":1,"type":"paid","correlationId":"\\"data\\":1","at":"${at}","data":{"cents":12345678901234567890}}`,
	);
	expect(dataText(sent)).toBe('{"cents":12345678901234567890}');
	expect(dataText(readEvent(`{"seq":2,"type":"empty","at":"${at}"}`))).toBe('');
});
