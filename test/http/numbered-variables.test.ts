import { describe, expect, it, vi } from 'vitest';
import { joinNumberedVariables } from '../../src/config/numbered-variables.ts';
import { apiKeys, ask, bearer, DEPLOYED, KEYS } from './deployment.ts';

describe('a secret that goes on in numbered ones', () => {
	it('lets in the keys of each', async () => {
		const variables = { ...DEPLOYED, API_KEYS: apiKeys(KEYS.client), API_KEYS_2: apiKeys(KEYS.other) };
		for (const key of [KEYS.client, KEYS.other])
			expect((await ask(variables, '/v1/tasks', { headers: bearer(key) })).status).toBe(200);
		expect((await ask(variables, '/v1/tasks', { headers: bearer(KEYS.read) })).status).toBe(401);
	});

	it('joins lists, and the lists of one tenant', () => {
		const { API_KEYS } = joinNumberedVariables({ API_KEYS: '[1]', API_KEYS_2: '[2]', API_KEYS_3: '[3]' });
		expect(API_KEYS).toBe('[1,2,3]');
		const secrets = { WEBHOOK_SECRETS: '{"a":["1"]}', WEBHOOK_SECRETS_2: '{"b":["2"],"a":["3"]}' };
		expect(joinNumberedVariables(secrets).WEBHOOK_SECRETS).toBe('{"a":["1","3"],"b":["2"]}');
	});

	it.each([
		['API_KEYS_3', { API_KEYS: '[]', API_KEYS_3: '[]' }, 'expected API_KEYS_2 before it'],
		['API_KEYS_2', { API_KEYS: '[]', API_KEYS_2: 'secret' }, 'expected JSON'],
		['API_KEYS_2', { API_KEYS: '[]', API_KEYS_2: '{}' }, 'expected the same form as API_KEYS'],
		['API_KEYS', { API_KEYS_2: '[]' }, 'expected JSON'],
	])('is refused by name when %s is wrong', (variable, variables, reason) => {
		expect(() => joinNumberedVariables(variables)).toThrow(`${variable}: ${reason}`);
	});

	it('is refused by the deployment when a key stands in two of them', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const variables = { ...DEPLOYED, API_KEYS_2: apiKeys(KEYS.client) };
		const response = await ask(variables, '/v1/tasks', { headers: bearer(KEYS.client) });
		expect(response.status).toBe(503);
		expect(log.mock.calls.map(String).join('\n')).toContain('expected every id once');
		log.mockRestore();
	});
});
