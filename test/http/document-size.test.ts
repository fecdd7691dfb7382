import { describe, expect, it, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { ask, bearer, DEPLOYED, KEYS } from './deployment.ts';

const HOST = 'https://coatcheck.example.workers.dev';
const KIB = 1_024;
const MAX_TOKEN_CHARS = 60;

async function documentAt(url: string): Promise<{ document: StatusDocument; bytes: number }> {
	const text = await (await ask(DEPLOYED, url)).text();
	return { document: JSON.parse(text) as StatusDocument, bytes: new TextEncoder().encode(text).byteLength };
}

describe('the status document', () => {
	it('of a small job that succeeded takes less than 1.3 KB, and its tokens at most 60 characters', async () => {
		const response = await ask(DEPLOYED, `${HOST}/v1/tasks/context/jobs`, {
			method: 'POST',
			headers: { 'content-type': 'application/json', ...bearer(KEYS.client) },
			body: '{}',
		});
		const { links } = await response.json<StatusDocument>();
		const tokens = Object.values(links).map((link) => new URL(link).searchParams.get('token') ?? '');
		expect(Math.min(...tokens.map(({ length }) => length))).toBeGreaterThan(0);
		expect(Math.max(...tokens.map(({ length }) => length))).toBeLessThanOrEqual(MAX_TOKEN_CHARS);
		const { document, bytes } = await vi.waitFor(async () => {
			const read = await documentAt(links.operation);
			expect(read.document.status).toBe('succeeded');
			return read;
		});
		expect(document.links).not.toHaveProperty('cancel');
		expect(bytes).toBeLessThan(1.3 * KIB);
	});
});
