/** The official conformance suite and the tools that people debug with, unmodified: `npm run test:mcp` installs them. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { isDeepStrictEqual, promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTestHarness } from 'wrangler';
import { configWith, localVariables } from '../../../bench/configuration.ts';
import { CONFORMANCE } from './conformance.ts';

process.env.WRANGLER_LOG ??= 'error';

const BIN = fileURLToPath(new URL('tools/node_modules/.bin/', import.meta.url));
/** Less than a test may take, so that a program that hangs is shown with what it has printed. */
const TIMEOUT_MS = 80_000;
const SCENARIO_TIMEOUT_MS = 60_000;
/** The suite allows 1 to 10 s for some answers, whatever it is told: a busy machine may take longer once, but not each time. */
const MAX_RUNS = 3;

const run = promisify(execFile);

let url: string;
beforeAll(async () => {
	const config = await configWith('test/interop/mcp/fixtures.ts');
	// A call becomes a task at once: the suite's own jobs take a second.
	const vars = { ...(await localVariables()), MCP_WAIT_SECONDS: '0' };
	const server = createTestHarness({ workers: [{ configPath: config.path, vars }] });
	url = `${(await server.listen()).url.origin}/mcp`;
	return async () => {
		await server.close();
		await config.remove();
	};
});

/** @returns what the program prints, without colors, whatever its exit code. @throws if it hangs, or prints nothing. */
async function output(program: string, ...args: readonly string[]): Promise<string> {
	const options = { timeout: TIMEOUT_MS, env: { ...process.env, NO_COLOR: '1' } };
	const ended = await run(process.execPath, [BIN + program, ...args], options).catch((error) => error);
	const { stdout = '', stderr = '', killed = false } = ended;
	if (killed || stdout === '')
		throw new Error(`${program} ${args.join(' ')} ${killed ? 'hangs' : 'failed'}: ${stdout}${stderr}`);
	// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape of colors is one.
	return String(stdout).replaceAll(/\x1b\[[\d;]*m/g, '');
}

interface Verdicts {
	readonly printed: string;
	readonly passed: readonly string[];
	/** Each once, in the order of the alphabet. */
	readonly failed: readonly string[];
}

async function judge(scenario: string): Promise<Verdicts> {
	const options = ['--url', url, '--scenario', scenario, '--timeout', String(SCENARIO_TIMEOUT_MS)];
	const printed = await output('conformance', 'server', ...options);
	const checks = [...printed.matchAll(/\[([\w-]+) *\] +(SUCCESS|FAILURE)/g)];
	const having = (wanted: string) =>
		[...new Set(checks.flatMap(([, id = '', verdict]) => (verdict === wanted ? [id] : [])))].toSorted();
	return { printed, passed: having('SUCCESS'), failed: having('FAILURE') };
}

describe('the conformance suite', () => {
	it.each(CONFORMANCE)('finds no more to say of $scenario', async ({ scenario, fails = {} }) => {
		const expected = Object.keys(fails).toSorted();
		let verdicts = await judge(scenario);
		for (let runs = 1; runs < MAX_RUNS && !isDeepStrictEqual(verdicts.failed, expected); runs++)
			verdicts = await judge(scenario);
		expect(verdicts.failed, verdicts.printed).toEqual(expected);
		expect(verdicts.passed.length, verdicts.printed).toBeGreaterThan(0);
	});
});

describe('the inspector', () => {
	it('lists the tools, and calls one', async () => {
		const listed = JSON.parse(await output('inspector', '--cli', url, '--transport', 'http', '--method', 'tools/list'));
		expect(listed.tools.map(({ name }: { name: string }) => name)).toContain('greet');
		const call = ['--method', 'tools/call', '--tool-name', 'greet', '--tool-arg', 'name=Ada'];
		const called = JSON.parse(await output('inspector', '--cli', url, '--transport', 'http', ...call));
		expect(called).toMatchObject({ content: [{ type: 'text', text: 'Hello, Ada!' }] });
	});
});

describe('the SDK 1.x', () => {
	it('lists the tools, and is held until a job has ended', async () => {
		const printed = await output('../../../sdk-1.ts', url);
		expect(JSON.parse(printed)).toEqual({ tools: expect.arrayContaining(['greet']), text: 'computed here' });
	});
});
