/** A tenant of one test that makes bulk actions. */

import { env } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { apiKeys, ask, bearer, DEPLOYED, key, type Variables } from '../http/deployment.ts';
import worker from '../worker.ts';

export interface ActionDocument {
	readonly id: string;
	readonly action: string;
	readonly filter: Record<string, unknown>;
	readonly status: string;
	readonly phase: string;
	readonly matched: number;
	readonly done: number;
	readonly refused: number;
	readonly refusals?: Record<string, number>;
	readonly percentComplete: number;
	readonly createdAt: string;
	readonly error?: { readonly code: string };
	readonly links: { readonly self: string; readonly events: string; readonly socket?: string };
}

/** A tenant with a key for everything, in a deployment with these variables. */
export function tenantOfActions(variables: Variables = {}) {
	const by = key('client', crypto.randomUUID(), 'submit', 'read', 'cancel', 'operate');
	const deployment = { ...DEPLOYED, API_KEYS: apiKeys(by), ...variables };
	const send = (path: string, { headers, ...init }: RequestInit = {}) =>
		ask(deployment, path, { ...init, headers: { ...bearer(by), ...(headers as Record<string, string>) } });
	const post = (path: string, body: unknown) =>
		send(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) });
	const read = async <T = ActionDocument>(path: string) => (await send(path)).json<T>();
	return {
		by,
		deployment,
		send,
		post,
		read,
		submit: async (input: object, options: object = {}, task = 'sleep') => {
			const response = await post('/v1/jobs', { task, input, options });
			const document = await response.json<StatusDocument>();
			expect(response.status, JSON.stringify(document)).toBe(202);
			return document;
		},
		/** Waits until the list has at least this number of jobs that match. */
		listed: (query: Record<string, string>, total: number) =>
			vi.waitFor(
				async () => {
					const counts = await read<{ total: number }>(`/v1/jobs/counts?${new URLSearchParams(query)}`);
					expect(counts.total).toBeGreaterThanOrEqual(total);
				},
				{ timeout: 20_000, interval: 50 },
			),
		act: async (action: string, filter: object) => {
			const response = await post('/v1/actions', { action, filter });
			const document = await response.json<ActionDocument>();
			return { response, document };
		},
		jobUntil: (id: string, ...wanted: string[]) =>
			vi.waitFor(
				async () => {
					const job = await read<StatusDocument>(`/v1/operations/${id}`);
					expect(wanted).toContain(wanted.includes(job.phase) ? job.phase : job.status);
					return job;
				},
				{ timeout: 20_000, interval: 20 },
			),
		actionUntil: (id: string, ...wanted: string[]) =>
			vi.waitFor(
				async () => {
					const action = await read(`/v1/actions/${id}`);
					expect(wanted, JSON.stringify(action)).toContain(action.status);
					return action;
				},
				{ timeout: 30_000, interval: 20 },
			),
	};
}

export type ActionTenant = ReturnType<typeof tenantOfActions>;

const FAILS = { seconds: 0, error: { code: 'Broken', message: 'As asked', status: 422, retryable: false } };

/** Jobs that have failed, with this tag, and are in the list. */
export async function failedJobs(tenant: ActionTenant, count: number, tag = 'night'): Promise<StatusDocument[]> {
	const jobs = await Promise.all(Array.from({ length: count }, () => tenant.submit(FAILS, { tags: [tag] })));
	const failed = await Promise.all(jobs.map(({ id }) => tenant.jobUntil(id, 'failed')));
	await tenant.listed({ tag, status: 'failed' }, count);
	return failed;
}

/** Delivers a batch with one message to a consumer of a deployment with these variables. @returns what became of the message. */
export async function deliver(variables: Variables, body: unknown): Promise<'acked' | 'handed back' | undefined> {
	let verdict: 'acked' | 'handed back' | undefined;
	const settle = (as: 'acked' | 'handed back') => () => {
		verdict ??= as;
	};
	const message = {
		id: '1',
		timestamp: new Date(),
		attempts: 1,
		body,
		ack: settle('acked'),
		retry: settle('handed back'),
	};
	const batch = { queue: 'coatcheck-long', messages: [message] } as unknown as MessageBatch;
	await worker.queue(batch, { ...env, ...variables } as never);
	return verdict;
}
