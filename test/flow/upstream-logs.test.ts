import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { ask, bearer, DEPLOYED, KEYS } from '../http/deployment.ts';
import { until } from './client.ts';

const OPEN = { ...DEPLOYED, UPSTREAMS: JSON.stringify({ private: { baseUrl: 'https://private.example' } }) };

describe('a log line about an upstream', () => {
	it('has no value of a configured header, even if the error quotes one', async () => {
		const lines: string[] = [];
		const log = vi.spyOn(console, 'error').mockImplementation((line: string) => void lines.push(line));
		const fetching = vi.spyOn(globalThis, 'fetch').mockImplementation(async (_, init) => {
			throw new TypeError(`Bad request: ${JSON.stringify([...new Headers(init?.headers)])}`);
		});
		onTestFinished(() => {
			log.mockRestore();
			fetching.mockRestore();
		});
		const headers = { ...bearer(KEYS.client), 'coatcheck-max-attempts': '1' };
		const response = await ask(OPEN, '/v1/upstreams/private/x', { headers });
		await until(await response.json<StatusDocument>(), 'failed');
		const text = lines.join('\n');
		expect(text).toContain('upstream failed');
		expect(text).toContain('x-report-key');
		expect(text).not.toContain('s3cret of the operator');
	});
});
