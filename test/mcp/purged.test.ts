/** What an MCP client gets whose job is purged while it waits. */
import { describe, expect, it } from 'vitest';
import { completeOutside, UNTIL_COMPLETED } from '../flow/client.ts';
import { purgeAtEnd } from '../flow/purged.ts';
import { ask, callTool } from './client.ts';

const PURGED = { isError: true, content: [{ text: expect.stringMatching(/^JobPurged: .*deleted on request/) }] };

describe('a held call', () => {
	it.each([
		['is told progress', { progressToken: 'p' }],
		['is told nothing', {}],
	])('that %s says that its job was purged', async (_, meta) => {
		purgeAtEnd();
		const options = { takesTasks: false, meta };
		expect((await callTool('sleep', { seconds: 1, steps: 2 }, options)).result).toMatchObject(PURGED);
	});

	it.each([
		['is told progress', { progressToken: 'p' }],
		['is told nothing', {}],
	])('that %s until its connection broke says the same', async (_, meta) => {
		purgeAtEnd({ isUntold: true });
		const options = { takesTasks: false, meta };
		expect((await callTool('sleep', { seconds: 1, steps: 2 }, options)).result).toMatchObject(PURGED);
	});
});

describe('a task', () => {
	it('that is purged between two questions has expired', async () => {
		const { result } = await callTool('sleep', UNTIL_COMPLETED);
		const { taskId = '' } = result ?? {};
		expect(result).toMatchObject({ resultType: 'task', status: 'working' });
		purgeAtEnd();
		await completeOutside(taskId, 'done');
		const asked = async () => (await ask('tasks/get', { taskId })).error;
		await expect.poll(asked).toMatchObject({ code: -32_602, message: 'Task has expired' });
		for (const method of ['tasks/update', 'tasks/cancel'])
			expect((await ask(method, { taskId })).error).toMatchObject({ code: -32_602, message: 'Task has expired' });
		expect((await callTool('wait_for_job', { jobId: taskId })).result).toMatchObject(PURGED);
	});
});
