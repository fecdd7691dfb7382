import { describe, expect, it } from 'vitest';
import { documentWith, worstCase } from '../../bench/worst-case.ts';

describe('bench/results/worst-case.md', () => {
	it('says what the source and wrangler.toml come to; else: npm run bench:worst-case -- --write', async () => {
		const tables = worstCase();
		expect(tables).toContain('the most expensive job');
		expect(tables).not.toContain('NaN');
		const { before, after } = await documentWith(tables);
		expect(before).toBe(after);
	});
});
