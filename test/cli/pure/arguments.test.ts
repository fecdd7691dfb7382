import { describe, expect, it } from 'vitest';
import { assertArguments, readWholeNumber, repeatedValues } from '../../../cli/arguments.ts';
import { UsageError } from '../../../cli/failure.ts';

const DEFINITIONS = {
	task: { type: 'positional', required: true },
	input: { type: 'string' },
	tag: { type: 'string' },
	output: { type: 'string', alias: 'o' },
	wait: { type: 'boolean' },
} as const;
const check = (...args: string[]) => assertArguments(args, DEFINITIONS);

describe('arguments', () => {
	it.each([
		[['sleep', '--input', '{"a":1}', '--wait']],
		[['sleep', '--input', '-', '-o', 'file']],
		[['--wait', 'sleep', '--tag', 'a', '--tag=b']],
		[['sleep', '--input=--wait']],
		[['sleep', '--', 'for', 'wrangler']],
	])('are taken: %j', (args) => {
		expect(() => check(...args)).not.toThrow();
	});

	it.each([
		[['sleep', '--inptu', '1'], '--inptu: unknown option'],
		[['sleep', '-x'], '-x: unknown option'],
		[['sleep', '--task', 'x'], '--task: unknown option'],
		[['sleep', '--no-wait'], '--no-wait: unknown option'],
		[['sleep', '--input'], '--input: expected a value'],
		[['sleep', '--input='], '--input: expected a value'],
		[['sleep', '--input', '--wait'], '--input: expected a value'],
		[['sleep', '--wait=no'], '--wait: expected no value'],
		[['sleep', '--input', '1', '--input', '2'], '--input: expected only once'],
		[['sleep', 'again'], 'Expected 1 argument, got: 2'],
	])('are refused: %j', (args, message) => {
		expect(() => check(...args)).toThrow(new UsageError(message));
	});

	it.each(['--key', '--api-key', '--token'])('never hold a key: %s', (option) => {
		const refused = () => check('sleep', option, 'ck_secret');
		expect(refused).toThrow('COATCHECK_API_KEY');
		expect(refused).not.toThrow('ck_secret');
	});

	it('may repeat an option that is a list', () => {
		const args = ['sleep', '--tag', 'a', '--input', '1', '--tag=b'];
		expect(repeatedValues(args, DEFINITIONS, 'tag')).toEqual(['a', 'b']);
	});

	it('have whole numbers', () => {
		expect([readWholeNumber('limit', undefined), readWholeNumber('limit', '20')]).toEqual([undefined, 20]);
		for (const text of ['-1', '1.5', '1e3', 'ten', '', '9'.repeat(16)])
			expect(() => readWholeNumber('limit', text)).toThrow('--limit: expected a whole number');
		expect(() => readWholeNumber('limit', '0', 1)).toThrow('from 1 on');
	});
});
