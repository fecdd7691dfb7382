import { describe, expect, it } from 'vitest';
import { nextAllowance, shrunkAllowance, topicShortage } from '../../../src/core/topic/allowance.ts';
import { eventLine, eventText, lineFilter } from '../../../src/core/topic/event.ts';
import { mapped } from '../../../src/core/topic/mapping.ts';
import { surplusSegments } from '../../../src/core/topic/retention.ts';
import {
	type DeliveryReport,
	messageCheckAt,
	newSubscription,
	reportedDelivery,
	withLease,
	withMessageSentAgain,
} from '../../../src/core/topic/subscription.ts';

const MIB = 1_048_576;

describe('eventLine', () => {
	it('leaves out what an event does not have', () => {
		expect(eventText(7, eventLine({ type: 'a' }, 0))).toBe('{"seq":7,"type":"a","at":"1970-01-01T00:00:00.000Z"}');
	});

	it('is filtered by type and correlation id, whatever they contain', () => {
		const line = eventLine({ type: 'a"\\', correlationId: '"},"x', data: '"type"' }, 0);
		expect(JSON.parse(eventText(1, line))).toMatchObject({ type: 'a"\\', correlationId: '"},"x', data: 'type' });
		expect(lineFilter({ types: ['a"\\'] })(line)).toBe(true);
		expect(lineFilter({ types: ['a'] })(line)).toBe(false);
		expect(lineFilter({ correlationId: '"},"x' })(line)).toBe(true);
		expect(lineFilter({ types: ['a"\\'], correlationId: 'x' })(line)).toBe(false);
		expect(lineFilter({ correlationId: 'x' })(eventLine({ type: 'a', data: '{"correlationId":"x"}' }, 0))).toBe(false);
	});
});

describe('mapped', () => {
	const event = { seq: 7, type: 'a', data: { urls: ['x', 'y'], n: 1 } };

	it.each([
		['$', event],
		['$.seq', 7],
		['$.data.urls.1', 'y'],
		['$.data.none', undefined],
		['$.data.constructor', undefined],
		['$$.seq', '$.seq'],
		['$5', '$5'],
		[
			{ a: '$.seq', b: '$.none', c: ['$.type', 3, null] },
			{ a: 7, c: ['a', 3, null] },
		],
	])('makes of %j what stands there', (template, expected) => {
		expect(mapped(template, event)).toEqual(expected);
	});
});

describe('surplusSegments', () => {
	const segment = (first: number, bytes: number, lastAt: number) => ({
		first,
		last: first + 9,
		bytes,
		openedAt: 0,
		lastAt,
	});
	const retention = { retainSeconds: 60, retainBytes: 100 };
	const segments = [segment(1, 60, 1_000), segment(11, 60, 2_000), segment(21, 60, 3_000)];

	it('deletes the oldest of too many bytes, and never the last', () => {
		expect(surplusSegments(segments, { retention }, 3_000)).toBe(2);
		expect(surplusSegments([segment(1, 1_000, 1_000)], { retention }, 3_000)).toBe(0);
	});

	it('deletes what is too old, the last one included', () => {
		expect(surplusSegments(segments, { retention: { ...retention, retainBytes: MIB } }, 62_000)).toBe(2);
		expect(surplusSegments(segments, { retention }, 63_000)).toBe(3);
	});

	it('keeps what its owner still needs', () => {
		expect(surplusSegments(segments, { retention, keepAfter: 15 }, 63_000)).toBe(1);
	});
});

describe('a share of the quota', () => {
	it('grows in steps, up to what the topic may keep', () => {
		expect(nextAllowance({ bytes: MIB, events: 10 }, { bytes: MIB, events: 10 }, 64 * MIB)).toBeUndefined();
		const request = nextAllowance({ bytes: MIB, events: 10_000 }, { bytes: MIB + 1, events: 5 }, 64 * MIB);
		expect(request?.wanted).toEqual({ bytes: 2 * MIB, events: 10_000 });
		expect(nextAllowance({ bytes: 40 * MIB, events: 9 }, { bytes: 41 * MIB, events: 1 }, 64 * MIB)?.wanted.bytes).toBe(
			64 * MIB,
		);
	});

	it('is given back when little of it is used', () => {
		expect(shrunkAllowance({ bytes: 64 * MIB, events: 10_000 }, { bytes: 20 * MIB, events: 9_000 })).toBeUndefined();
		expect(shrunkAllowance({ bytes: 64 * MIB, events: 10_000 }, { bytes: 0, events: 0 })).toEqual({
			bytes: 0,
			events: 0,
		});
	});

	it('never exceeds the quota together with the others', () => {
		const quotas = { bytes: 10, events: 10 };
		expect(topicShortage({ bytes: 4, events: 4 }, { bytes: 6, events: 6 }, quotas)).toBeUndefined();
		expect(topicShortage({ bytes: 4, events: 4 }, { bytes: 7, events: 6 }, quotas)).toMatchObject({
			quota: 'topic-bytes',
		});
		expect(topicShortage({ bytes: 4, events: 4 }, { bytes: 6, events: 7 }, quotas)).toMatchObject({
			quota: 'topic-events',
		});
	});
});

describe('a subscription', () => {
	const target = { type: 'webhook', url: 'https://a.example/', format: 'standard', origin: '' } as const;
	const fresh = newSubscription({ name: 'a', target }, 0, 1_000);
	const leased = withLease(fresh, 'c', 1_000);
	const report = (upTo: number, failure?: DeliveryReport['failure']): DeliveryReport => ({
		upTo,
		delivered: upTo,
		missed: 0,
		givenUp: [],
		...(failure && { failure }),
	});
	const clock = { now: 2_000, random: 0 };

	it('counts a report that comes twice once', () => {
		const once = reportedDelivery(leased, report(3, { seq: 4, attempt: 1, code: 500 }), clock);
		expect(once).toMatchObject({ cursor: 3, delivered: 3, failed: { seq: 4, attempt: 1, nextAttemptAt: 7_000 } });
		expect(reportedDelivery(once, report(3, { seq: 4, attempt: 1, code: 500 }), clock)).toEqual(once);
	});

	it('waits as long as the receiver asks', () => {
		const failure = { seq: 1, attempt: 1, code: 429, retryAfterMs: 60_000 };
		expect(reportedDelivery(leased, report(0, failure), clock).failed?.nextAttemptAt).toBe(62_000);
	});

	it('forgets its failures when the event is done with', () => {
		const failing = reportedDelivery(leased, report(0, { seq: 1, attempt: 1 }), clock);
		expect(reportedDelivery(failing, report(1), clock).failed).toBeUndefined();
	});

	it('needs no message while it is caught up or disabled, and else a few', () => {
		expect(messageCheckAt(fresh, 0)).toBe(Number.POSITIVE_INFINITY);
		expect(messageCheckAt({ ...fresh, isDisabled: true }, 5)).toBe(Number.POSITIVE_INFINITY);
		expect(messageCheckAt(leased, 5)).toBe(46_000);
		let record = fresh;
		let wakes = 0;
		for (let now = 0; Number.isFinite(messageCheckAt(record, 5)); now = messageCheckAt(record, 5)) {
			record = withMessageSentAgain(record, now);
			wakes++;
		}
		expect(wakes).toBeLessThan(70);
	});
});
