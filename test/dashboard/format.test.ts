import { describe, expect, it } from 'vitest';
import {
	formatBytes,
	formatChange,
	formatCount,
	formatDuration,
	formatJobs,
	formatRelative,
} from '../../dashboard/src/pure/format.ts';
import { fromLocalInput, toLocalInput } from '../../dashboard/src/pure/local-time.ts';

describe('a duration', () => {
	it.each([
		[0, '0 ms'],
		[-5, '0 ms'],
		[850, '850 ms'],
		[2_449, '2.4 s'],
		[9_999, '9.9 s'],
		[59_999, '59 s'],
		[200_000, '3 min 20 s'],
		[7_200_000, '2 h'],
		[350_000_000, '4 d 1 h'],
	])('of %d ms is %s', (ms, text) => {
		expect(formatDuration(ms)).toBe(text);
	});
});

it('says how long ago a time is, or in how long', () => {
	const now = Date.parse('2026-01-01T00:01:00Z');
	expect(formatRelative('2026-01-01T00:00:47Z', now)).toBe('13 s ago');
	expect(formatRelative('2026-01-01T00:04:00Z', now)).toBe('in 3 min');
	expect(formatRelative('2026-01-01T00:01:00Z', now)).toBe('just now');
});

it('groups digits, and names the sign of a change', () => {
	expect([formatCount(1_234_567), formatJobs(1), formatJobs(1_000)]).toEqual(['1,234,567', '1 job', '1,000 jobs']);
	expect([formatChange(3, 1), formatChange(1, 3), formatChange(2, 2)]).toEqual(['+2', '−2', '±0']);
	expect([formatBytes(900), formatBytes(1_536), formatBytes(33_554_432)]).toEqual(['900 B', '1.5 KiB', '32.0 MiB']);
});

it('reads a local time back as the same moment', () => {
	const at = '2026-07-01T12:30:15.000Z';
	expect(fromLocalInput(toLocalInput(at))).toBe(at);
	expect([toLocalInput('yesterday'), fromLocalInput('')]).toEqual(['', '']);
});
