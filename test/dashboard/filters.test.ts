import { describe, expect, it } from 'vitest';
import { actionJobsPath, describeAction } from '../../dashboard/src/pure/describe-action.ts';
import {
	actionFilter,
	describeFilter,
	filterQuery,
	isEmptyFilter,
	jobsPath,
	readFilter,
	searchFilters,
	withMember,
} from '../../dashboard/src/pure/filters.ts';

const ID = 'a'.repeat(64);

describe('a filter', () => {
	it('is the query of the page, and the page of the query', () => {
		const query = 'status=failed&task=sleep&createdAfter=2026-01-01T00%3A00%3A00Z&tag=a&tag=b';
		expect(String(filterQuery(readFilter(new URLSearchParams(query))))).toBe(query);
	});

	it('ignores what is no filter, and what is empty', () => {
		const filter = readFilter(new URLSearchParams('cursor=1&limit=5&status=&tag=%20&other=1'));
		expect(isEmptyFilter(filter)).toBe(true);
	});

	it('replaces or loses a member', () => {
		const filter = readFilter(new URLSearchParams('status=failed&tag=a'));
		expect(String(filterQuery(withMember(filter, 'status', 'running')))).toBe('status=running&tag=a');
		expect(String(filterQuery(withMember(filter, 'status', '')))).toBe('tag=a');
	});

	it('says in words what it matches', () => {
		expect(describeFilter(readFilter(new URLSearchParams('tag=a&errorCode=E&status=failed')))).toBe(
			'status failed, error code E, tag a',
		);
		expect(describeFilter({ tags: [] })).toBe('all jobs');
	});

	it('keeps hostile values apart in a link', () => {
		expect(jobsPath({ task: 'a&status=x#"<b>' })).toBe('/jobs?task=a%26status%3Dx%23%22%3Cb%3E');
	});
});

describe('the filter of a bulk action', () => {
	it('has the members of the list', () => {
		const filter = readFilter(new URLSearchParams('status=failed&tag=a&tag=b'));
		expect(actionFilter(filter)).toEqual({ status: 'failed', tag: ['a', 'b'] });
	});

	it.each(['', `id=${ID}`, 'idempotencyKey=k', 'idempotencyKey=k&status=failed'])('is none for "%s"', (query) => {
		expect(actionFilter(readFilter(new URLSearchParams(query)))).toBeUndefined();
	});

	it('is shown in words, with a link to its jobs', () => {
		const action = { action: 'retry', filter: { status: 'failed', tag: 'a' } } as const;
		expect(describeAction(action)).toBe('retry: status failed, tag a');
		expect(actionJobsPath(action)).toBe('/jobs?status=failed&tag=a');
	});
});

describe('the search', () => {
	it.each([ID, `http://a.example/v1/jobs/${ID}?token=x`, ` ${ID} `])('finds the id in %s', (text) => {
		expect(searchFilters(text)).toEqual([{ id: ID, tags: [] }]);
	});

	it('tries anything else as a correlation id, then as an idempotency key', () => {
		expect(searchFilters('order-42').map((filter) => String(filterQuery(filter)))).toEqual([
			'correlationId=order-42',
			'idempotencyKey=order-42',
		]);
	});

	it('finds nothing for no text', () => {
		expect(searchFilters('  ')).toEqual([]);
	});
});
