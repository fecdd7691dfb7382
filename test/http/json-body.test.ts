import { describe, expect, it } from 'vitest';
import { type JsonLimits, readJson } from '../../src/http/json-body.ts';
import { MemoryBudget } from '../../src/work/budget.ts';
import { post } from '../flow/client.ts';

const KIB = 1_024;
const MIB = 1_024 * KIB;

/** A body that arrives at the given times. */
function slowBody() {
	const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>();
	const writer = writable.getWriter();
	const request = new Request('https://coatcheck.example/', { method: 'POST', body: readable });
	return { request, write: (text: string) => writer.write(new TextEncoder().encode(text)), end: () => writer.close() };
}

const text = (bytes: number) => `"${'x'.repeat(bytes - 2)}"`;

function bodyOf(json: string): Request {
	return new Request('https://coatcheck.example/', { method: 'POST', body: json });
}

function sizeOf(request: Request, limits: Partial<JsonLimits>): Promise<number> {
	return readJson(request, { maxBytes: 32 * MIB, ...limits }, async (value) => String(value).length + 2);
}

describe('JSON', () => {
	it('is taken up to 16 MiB, and the refusal says that bytes may be larger', async () => {
		const taken = await post('/v1/tasks/context/jobs', 'x'.repeat(16 * MIB - 2), { 'coatcheck-delay-seconds': '3600' });
		expect(taken.status).toBe(202);
		const refused = await post('/v1/tasks/context/jobs', 'x'.repeat(16 * MIB - 1));
		const { code, detail } = await refused.json<{ code: string; detail: string }>();
		expect(code).toBe('PayloadTooLarge');
		expect(detail).toContain('16777216');
		expect(detail).toContain('send larger input as bytes');
	});

	it('is held to a smaller limit of the deployment', async () => {
		await expect(sizeOf(bodyOf(text(101)), { maxBytes: 100 })).rejects.toMatchObject({ code: 'PayloadTooLarge' });
		expect(await sizeOf(bodyOf(text(100)), { maxBytes: 100 })).toBe(100);
	});

	it('that finds no room beside what others are sending is refused, and small JSON is not', async () => {
		const arriving = new MemoryBudget(MIB);
		const other = slowBody();
		const otherSize = sizeOf(other.request, { arriving });
		await other.write(`"${'x'.repeat(700 * KIB)}`);
		const refused = sizeOf(bodyOf(text(400 * KIB)), { arriving, patienceMs: 50 });
		await expect(refused).rejects.toMatchObject({
			code: 'Overloaded',
			status: 503,
		});
		expect(await sizeOf(bodyOf(text(64 * KIB)), { arriving })).toBe(64 * KIB);
		expect(await sizeOf(bodyOf(text(200 * KIB)), { arriving })).toBe(200 * KIB);
		const patient = sizeOf(bodyOf(text(MIB)), { arriving });
		await other.write('"');
		await other.end();
		expect(await otherSize).toBe(700 * KIB + 2);
		expect(await patient).toBe(MIB);
	});

	it('that is announced and does not come takes nothing from others, and is given up', async () => {
		const arriving = new MemoryBudget(MIB);
		const silent = slowBody();
		const given = sizeOf(silent.request, { arriving, arrivalMs: 50 });
		await silent.write(`"${'x'.repeat(100 * KIB)}`);
		await expect(given).rejects.toMatchObject({ status: 408, code: 'RequestTimeout' });
		expect(await arriving.hold().grow(MIB, 0)).toBe(true);
	});

	it('that keeps arriving is waited for, however long it takes in all', async () => {
		const slow = slowBody();
		// These bytes allow sixteen seconds, and have arrived when the body is first checked.
		const first = slow.write(`"${'x'.repeat(MIB)}`);
		const taken = sizeOf(slow.request, { arrivalMs: 1 });
		await first;
		await scheduler.wait(100);
		await slow.write('"');
		await slow.end();
		expect(await taken).toBe(MIB + 2);
	});

	it('that breaks off is refused as that', async () => {
		const broken = new ReadableStream({ pull: (controller) => controller.error(new Error('gone')) });
		const request = new Request('https://coatcheck.example/', { method: 'POST', body: broken });
		await expect(sizeOf(request, {})).rejects.toMatchObject({
			code: 'InvalidRequest',
			message: expect.stringContaining('before the end of the body'),
		});
	});
});
