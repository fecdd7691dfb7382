import { describe, expect, it } from 'vitest';
import type { StatusDocument } from '../../src/core/job/document.ts';
import { parseJson } from '../../src/http/json-text.ts';
import { Problem } from '../../src/http/problem.ts';
import { call } from '../flow/client.ts';

const parse = (text: string) => parseJson(new TextEncoder().encode(text));

function faultsOf(text: string) {
	try {
		parse(text);
	} catch (error) {
		if (error instanceof Problem) return error.errors;
		throw error;
	}
	return [];
}

const send = (path: string, body: string) =>
	call(path, { method: 'POST', headers: { 'content-type': 'application/json' }, body });

describe('an integer that JSON would change silently', () => {
	it.each([
		['/v1/tasks/context/jobs', '{"amount":9007199254740993}', '/amount'],
		['/v1/jobs', '{"task":"context","input":{"amount":9007199254740993}}', '/input/amount'],
		['/v1/jobs', '{"task":"context","input":[1,{"a/b":[-12345678901234567890]}]}', '/input/1/a~1b/0'],
		['/v1/batches', '{"jobs":[{"task":"context","input":9007199254740993}]}', '/jobs/0/input'],
		['/v1/jobs', '{"task":"context","input":{"amount":1e999}}', '/input/amount'],
	])('is refused at %s with %s, which names the place', async (path, body, pointer) => {
		const response = await send(path, body);
		expect(response.status).toBe(400);
		const problem = await response.json<{ code: string; errors: { pointer: string; message: string }[] }>();
		expect(problem).toMatchObject({ code: 'InvalidRequest', errors: [{ pointer }] });
		expect(problem.errors[0]?.message).toMatch(/^expected (an integer|a number)/);
	});

	it('is shown as it was sent, with what is wanted instead', () => {
		expect(faultsOf('[9007199254740993]')).toEqual([
			{
				pointer: '/0',
				message:
					'expected an integer that a JSON number represents exactly (all up to 9007199254740991), or a string, got: 9007199254740993',
			},
		]);
	});

	it.each([
		'9007199254740991',
		'-9007199254740991',
		'9007199254740992',
		'9007199254740994',
		'10000000000000000000',
		'1000000000000000000000',
		'12345678901234567000',
		'1.0e20',
		'1e23',
		'0.1',
		'0.30000000000000004',
		'3.14159265358979323846',
		'1e-400',
		'-0',
		'"9007199254740993"',
		'{"9007199254740993":1}',
		'"\\"9007199254740993"',
		'{"a":9007199254740993,"a":1}',
	])('is none in %s', (text) => {
		expect(parse(text)).toEqual(JSON.parse(text));
	});

	it.each([
		'9007199254740993',
		'-9007199254740993',
		'12345678901234567890',
		'1152921504606846976',
		' [ 9007199254740993 ] ',
		'9'.repeat(309),
	])('is one in %s', (text) => {
		expect(faultsOf(text)).toHaveLength(1);
	});

	it('of a million digits, or beside a hundred thousand others, takes no more time than other JSON', () => {
		const startedAt = performance.now();
		expect(faultsOf('9'.repeat(1_000_000))).toHaveLength(1);
		expect(faultsOf(`[${'9007199254740992,'.repeat(100_000)}9007199254740993]`)).toEqual([
			expect.objectContaining({ pointer: '/100000' }),
		]);
		// A conversion in quadratic time would take minutes.
		expect(performance.now() - startedAt).toBeLessThan(20_000);
	});

	it('is no part of half a character: that is named too', () => {
		expect(faultsOf('{"a":["\\ud800"]}')).toEqual([
			{ pointer: '/a/0', message: 'expected Unicode text, got half of a surrogate pair' },
		]);
	});

	it('can be sent as text', async () => {
		const response = await send('/v1/tasks/context/jobs', '{"amount":"9007199254740993"}');
		expect(response.status).toBe(202);
		await response.json<StatusDocument>();
	});
});
