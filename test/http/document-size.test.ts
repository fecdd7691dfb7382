import { exports } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/job/document.ts';

const HOST = 'https://coatcheck.example.workers.dev';
const KIB = 1_024;

async function documentAt(url: string): Promise<{ document: StatusDocument; bytes: number }> {
	const text = await (await exports.default.fetch(url)).text();
	return { document: JSON.parse(text) as StatusDocument, bytes: new TextEncoder().encode(text).byteLength };
}

describe('the status document', () => {
	it('of a small job that succeeded takes less than 1.3 KB', async () => {
		const response = await exports.default.fetch(`${HOST}/v1/tasks/context/jobs`, {
			method: 'POST',
			headers: { 'content-type': 'application/json', prefer: 'wait=20' },
			body: '{}',
		});
		const { document, bytes } = await documentAt(
			new URL(response.headers.get('content-location') ?? '').href
				.replace('/jobs/', '/operations/')
				.replace('/result', ''),
		);
		expect(document.status).toBe('succeeded');
		expect(bytes).toBeLessThan(1.3 * KIB);
	});
});
