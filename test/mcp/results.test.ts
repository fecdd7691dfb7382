/** Results of every kind and size, as clients that validate read them. */
import { CallToolResultV2Schema, DetailedTaskV2Schema } from '@modelcontextprotocol/ext-tasks/core/v2';
import { describe, expect, it } from 'vitest';
import type { Content } from '../../src/core/mcp/content.ts';
import { MAX_EMBEDDED_RESULT_BYTES } from '../../src/core/mcp/limits.ts';
import { call } from '../flow/client.ts';
import { receiver } from '../webhook/receiver.ts';
import { ask, type CallResult, callTool, type McpAnswer } from './client.ts';

const LEDGER = 'upstream_main_ledger';
const READ = { method: 'GET', path: '/entries' };

async function finished({ result }: McpAnswer<CallResult>): Promise<CallResult> {
	const done =
		result?.taskId === undefined ? result : (await callTool('wait_for_job', { jobId: result.taskId })).result;
	if (!done) throw new Error('Expected a result');
	return done;
}

/** JSON of this size. */
const jsonOf = (bytes: number) => JSON.stringify('x'.repeat(bytes - 2));

function answerWith(body: string | Uint8Array, mediaType: string): void {
	receiver('ledger.example', () => new Response(body, { headers: { 'content-type': mediaType } }));
}

describe('a result', () => {
	it.each([
		['JSON', jsonOf(MAX_EMBEDDED_RESULT_BYTES), 'application/json', 'text'],
		['text', 'x'.repeat(MAX_EMBEDDED_RESULT_BYTES), 'text/csv', 'text'],
		['an image', new Uint8Array(MAX_EMBEDDED_RESULT_BYTES), 'image/png', 'image'],
	])('that is %s of 1 MiB is part of the answer, and a link with one byte more', async (_, body, mediaType, type) => {
		answerWith(body, mediaType);
		const { content } = await finished(await callTool(LEDGER, READ));
		expect(content).toMatchObject([{ type }]);
		const larger = typeof body === 'string' ? body.replace('x', 'xx') : new Uint8Array(body.byteLength + 1);
		answerWith(larger, mediaType);
		const result = await finished(await callTool(LEDGER, READ));
		expect(result.content).toMatchObject([{ type: 'resource_link', mimeType: mediaType, size: larger.length }]);
		expect(result).not.toHaveProperty('structuredContent');
		expect(JSON.stringify(result).length).toBeLessThan(1_000);
		const [link] = result.content as readonly Extract<Content, { type: 'resource_link' }>[];
		const read = await call(link?.uri ?? '');
		expect([read.status, (await read.bytes()).byteLength]).toEqual([200, larger.length]);
	});

	it('that is neither text, JSON, an image nor a sound is a link, however small', async () => {
		const { content } = await finished(await callTool('produce', { bytes: 1 }));
		expect(content).toMatchObject([{ type: 'resource_link', mimeType: 'application/x-made', size: 1 }]);
	});

	it.each([
		['an object', '{"a":1}', { a: 1 }],
		['a list', '[1]', [1]],
		['a number', '7', 7],
		['null', 'null', null],
		['no JSON', '{', undefined],
		['nothing', '', undefined],
	])('that is %s passes the schemas of clients, in an answer and in a task', async (_, body, structuredContent) => {
		answerWith(body, 'application/json');
		const result = await finished(await callTool(LEDGER, READ));
		expect(CallToolResultV2Schema.parse(result)).toMatchObject({ content: [{ type: 'text', text: body }] });
		const { id } = await (await call('/v1/upstreams/main-ledger/entries')).json<{ id: string }>();
		await callTool('wait_for_job', { jobId: id });
		const { result: task } = await ask<{ result: CallResult }>('tasks/get', { taskId: id });
		DetailedTaskV2Schema.parse(task);
		for (const one of [result, task?.result]) {
			expect(one?.structuredContent).toEqual(structuredContent);
			expect(one?.content).toEqual([{ type: 'text', text: body }]);
		}
	});
});
