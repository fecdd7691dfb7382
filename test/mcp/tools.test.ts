/** The names and the order of the tools, whatever tasks and upstreams are called. */

import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { readConfig } from '../../src/config/config.ts';
import { listedTools } from '../../src/http/mcp/tools.ts';
import { createRegistry } from '../../src/work/registry.ts';
import { defineTask } from '../../src/work/task.ts';
import { ask as askDeployed, bearer, DEPLOYED, KEYS } from '../http/deployment.ts';
import { ask } from './client.ts';

/** What revision 2026-07-28 and hosts accept: 1 to 128 of these characters. */
const NAME = /^[A-Za-z0-9_.-]{1,128}$/;
const LONGEST = 'x'.repeat(64);

const settings = { baseUrl: 'https://a.example', mcp: true };
const task = (name: string, description = name) =>
	defineTask({ name, description, input: z.strictObject({ n: z.int() }), run: () => 'done' });

interface Made {
	readonly tasks?: readonly string[];
	readonly upstreams?: readonly string[];
}

function toolsOf({ tasks = [], upstreams = [] }: Made) {
	const UPSTREAMS = JSON.stringify(Object.fromEntries(upstreams.map((name) => [name, settings])));
	const config = readConfig({ ...env, UPSTREAMS });
	const scopes = new Set(['submit', 'read', 'cancel']);
	const registry = createRegistry(tasks.map((name) => task(name)));
	return listedTools({ config, tasks: registry, principal: { tenant: 'default', scopes } });
}

const namesOf = (made: Made) => toolsOf(made).map(({ name }) => name);

describe('the list of tools', () => {
	it('has each name once: a tool about jobs, then a task, then an upstream, and of each kind the first', () => {
		const made = {
			tasks: ['get-job', 'a-b', 'upstream-ledger', 'wait-for-job', 'b'],
			upstreams: ['ledger', 'x-y', 'other'],
		};
		expect(namesOf(made)).toEqual([
			'a_b',
			'upstream_ledger',
			'b',
			'upstream_x_y',
			'upstream_other',
			'wait_for_job',
			'get_job',
			'list_jobs',
			'retry_job',
			'cancel_job',
		]);
		const [, ledger] = toolsOf(made);
		expect(ledger).toMatchObject({ description: 'upstream-ledger', inputSchema: { properties: { n: {} } } });
	});

	it('is the same for every request and in every isolate', () => {
		const made = { tasks: ['b', 'a'], upstreams: ['d', 'c'] };
		expect(JSON.stringify(toolsOf(made))).toBe(JSON.stringify(toolsOf(made)));
		expect(namesOf(made).slice(0, 4)).toEqual(['b', 'a', 'upstream_d', 'upstream_c']);
	});

	it('is the same bytes twice on the wire', async () => {
		const send = (path: string, init: RequestInit) =>
			askDeployed(DEPLOYED, path, {
				...init,
				headers: { ...(init.headers as Record<string, string>), ...bearer(KEYS.client) },
			});
		const [one, two] = [await ask('tools/list', {}, { send }), await ask('tools/list', {}, { send })];
		expect(JSON.stringify(two.result)).toBe(JSON.stringify(one.result));
	});

	it('has only names that the protocol allows, also of the longest tasks and upstreams', () => {
		const names = namesOf({ tasks: [LONGEST, 'a'], upstreams: [LONGEST, 'a--b-'] });
		expect(names).toEqual(expect.arrayContaining([LONGEST, `upstream_${LONGEST}`, 'upstream_a__b_']));
		expect(names.filter((name) => !NAME.test(name))).toEqual([]);
	});

	it('has a schema of an object for each tool', () => {
		for (const { inputSchema } of toolsOf({ tasks: ['a'], upstreams: ['b'] })) expect(inputSchema.type).toBe('object');
	});
});
