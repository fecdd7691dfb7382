/** Held calls whose client closes them, and sends them again. */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { Phase } from '../../src/core/job/document.ts';
import { REPEATED_WITHIN_MS } from '../../src/core/mcp/limits.ts';
import { JobObject } from '../../src/object/job-object.ts';
import { call, completeOutside, UNTIL_COMPLETED } from '../flow/client.ts';
import { ask as askDeployed } from '../http/deployment.ts';
import { type CallResult, callTool, type McpAnswer } from './client.ts';

interface Held {
	readonly answer: Promise<McpAnswer<CallResult>>;
	close(): void;
}

const OPEN = {};
/** The correlation id of these calls and their jobs. */
const OURS = crypto.randomUUID();
const LONG = { seconds: 60, steps: 1 };

/** A call of a client without tasks, with progress or without. */
function hold(given: object, meta: object): Held {
	const closing = new AbortController();
	const send = (path: string, init: RequestInit) => askDeployed(OPEN, path, { ...init, signal: closing.signal });
	const headers = { 'x-correlation-id': OURS };
	const answer = callTool('sleep', given, { takesTasks: false, meta: { ...meta }, headers, send });
	answer.catch(() => {});
	return { answer, close: () => closing.abort() };
}

/** The jobs of these calls that are accepted from now on, oldest first. */
function watchAccepted(): readonly string[] {
	const ids: string[] = [];
	const { accept } = JobObject.prototype;
	const spy = vi.spyOn(JobObject.prototype, 'accept').mockImplementation(async function (
		this: JobObject,
		...parameters
	) {
		const acceptance = await accept.apply(this, parameters);
		const isOurs = parameters[0].options.correlationId === OURS;
		if (isOurs && acceptance.accepted && !acceptance.isReplay)
			ids.push((this as JobObject & { readonly ctx: DurableObjectState }).ctx.id.toString());
		return acceptance;
	});
	onTestFinished(() => spy.mockRestore());
	return ids;
}

/** Waits until the first of these jobs runs. */
async function firstRunning(accepted: readonly string[]): Promise<string> {
	await expect.poll(() => accepted.length).toBeGreaterThan(0);
	const [id = ''] = accepted;
	await expect.poll(() => phaseOf(id)).toBeOneOf(['running', 'waiting']);
	return id;
}

const phaseOf = async (id: string) => (await (await call(`/v1/jobs/${id}`)).json<{ phase: Phase }>()).phase;

function readersOf(id: string): Promise<number> {
	return runInDurableObject(
		env.JOBS.get(env.JOBS.idFromString(id)),
		(_, ctx) => ctx.getWebSockets('watcher').length + ctx.getWebSockets('waiter').length,
	);
}

/** The time in which a closed call may be sent again is over at once. */
function skipPatience(): void {
	const wait = scheduler.wait.bind(scheduler);
	const spy = vi
		.spyOn(scheduler, 'wait')
		.mockImplementation((ms, options) => wait(ms === REPEATED_WITHIN_MS ? 0 : ms, options));
	onTestFinished(() => spy.mockRestore());
}

function countCancels(): { unlessFollowed: number } {
	const counts = { unlessFollowed: 0 };
	const { cancelJob } = JobObject.prototype;
	const spy = vi.spyOn(JobObject.prototype, 'cancelJob').mockImplementation(async function (
		this: JobObject,
		reader,
		options,
	) {
		const change = await cancelJob.call(this, reader, options);
		if (options?.unlessFollowed) counts.unlessFollowed++;
		return change;
	});
	onTestFinished(() => spy.mockRestore());
	return counts;
}

describe.each([
	['with progress', { progressToken: 'p' }],
	['without progress', {}],
])('a held call %s', (_, progress) => {
	it('that is closed cancels its job', async () => {
		const accepted = watchAccepted();
		const held = hold(LONG, progress);
		const id = await firstRunning(accepted);
		held.close();
		await expect.poll(() => phaseOf(id)).toBe('canceled');
	});

	it('that is closed while its job is accepted cancels it', async () => {
		let id = '';
		const { accept } = JobObject.prototype;
		const spy = vi.spyOn(JobObject.prototype, 'accept').mockImplementation(async function (
			this: JobObject,
			...parameters
		) {
			if (parameters[0].options.correlationId !== OURS) return accept.apply(this, parameters);
			held.close();
			id = (this as JobObject & { readonly ctx: DurableObjectState }).ctx.id.toString();
			return accept.apply(this, parameters);
		});
		onTestFinished(() => spy.mockRestore());
		const held = hold(LONG, progress);
		await expect.poll(() => id).not.toBe('');
		await expect.poll(() => phaseOf(id)).toBe('canceled');
	});

	it('with a key that is closed, and not sent again, cancels its job', async () => {
		skipPatience();
		const accepted = watchAccepted();
		const held = hold(LONG, { ...progress, 'claudecode/toolUseId': crypto.randomUUID() });
		const id = await firstRunning(accepted);
		held.close();
		await expect.poll(() => phaseOf(id)).toBe('canceled');
	});

	it('whose job can no longer be reached is told to the log', async () => {
		const log = vi.spyOn(console, 'error').mockImplementation(() => {});
		const spy = vi.spyOn(JobObject.prototype, 'cancelJob').mockRejectedValue(new Error('away'));
		const accepted = watchAccepted();
		onTestFinished(async () => {
			spy.mockRestore();
			log.mockRestore();
			for (const id of accepted) await call(`/v1/jobs/${id}`, { method: 'DELETE' });
		});
		const held = hold(LONG, progress);
		await firstRunning(accepted);
		held.close();
		await expect
			.poll(() => log.mock.calls.map(([line]) => String(line)).join())
			.toContain('job of a closed call not canceled');
	});

	it('with a key that is sent twice at once is one job, and goes on when one of them is closed', async () => {
		skipPatience();
		const cancels = countCancels();
		const meta = { ...progress, 'claudecode/toolUseId': crypto.randomUUID() };
		const accepted = watchAccepted();
		const [one, two] = [hold(UNTIL_COMPLETED, meta), hold(UNTIL_COMPLETED, meta)];
		const id = await firstRunning(accepted);
		await expect.poll(() => readersOf(id)).toBe(2);
		one.close();
		await expect.poll(() => cancels.unlessFollowed).toBe(1);
		await completeOutside(id, { joined: true });
		const { result } = await two.answer;
		expect(result).toMatchObject({ structuredContent: { joined: true } });
		expect(await phaseOf(id)).toBe('succeeded');
		expect(accepted).toEqual([id]);
	});

	it('with a key that is closed is joined by the same call sent again', async () => {
		const meta = { ...progress, 'claudecode/toolUseId': crypto.randomUUID() };
		const accepted = watchAccepted();
		const first = hold(UNTIL_COMPLETED, meta);
		const id = await firstRunning(accepted);
		first.close();
		const second = hold(UNTIL_COMPLETED, meta);
		await completeOutside(id, { joined: true });
		const { result } = await second.answer;
		expect(result).toMatchObject({ structuredContent: { joined: true } });
		expect(accepted).toEqual([id]);
	});
});
