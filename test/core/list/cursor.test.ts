import { describe, expect, it } from 'vitest';
import { formatListCursor, parseListCursor } from '../../../src/core/list/cursor.ts';
import { idFor, T0 } from './news.ts';

const POSITION = { createdAt: T0, id: idFor(3) };

describe('a cursor', () => {
	it('gives its position back for the same filter, whatever the order of its members and tags', () => {
		const cursor = formatListCursor(POSITION, { task: 'sleep', status: 'failed', tags: ['a', 'b'] });
		expect(cursor).toMatch(/^[\w-]+$/);
		expect(parseListCursor(cursor, { tags: ['b', 'a'], status: 'failed', task: 'sleep' })).toEqual(POSITION);
	});

	it.each([
		{ task: 'sleep' },
		{ task: 'sleep', status: 'failed', tags: ['a'] } as const,
		{ task: 'failed', status: 'failed' } as const,
		{},
	])('does not fit another filter: %j', (filter) => {
		const cursor = formatListCursor(POSITION, { task: 'sleep', status: 'failed' });
		expect(parseListCursor(cursor, filter)).toBe('other filter');
	});

	it.each([
		'',
		'x',
		'!',
		'e30',
		btoa('null'),
		btoa('{"t":1.5,"i":"a","f":1}'),
		btoa(`{"t":1,"i":"${'g'.repeat(64)}","f":1}`),
	])('that is malformed is refused: %j', (cursor) => {
		expect(parseListCursor(cursor, {})).toBe('malformed');
	});
});
