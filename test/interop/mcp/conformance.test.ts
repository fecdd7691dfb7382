/** The official conformance suite and the tools that people debug with, unmodified: `npm run test:mcp` installs them. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { createTestHarness } from 'wrangler';
import { configWith, localVariables } from '../../../bench/configuration.ts';
import { CONFORMANCE } from './conformance.ts';

process.env.WRANGLER_LOG ??= 'error';

const BIN = fileURLToPath(new URL('tools/node_modules/.bin/', import.meta.url));
const TIMEOUT_MS = 120_000;

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

/** @returns what the program prints, without colors, whatever its exit code. */
async function output(program: string, ...args: readonly string[]): Promise<string> {
	const options = { timeout: TIMEOUT_MS, env: { ...process.env, NO_COLOR: '1' } };
	const { stdout } = await run(process.execPath, [BIN + program, ...args], options).catch((error) => error);
	// biome-ignore lint/suspicious/noControlCharactersInRegex: the escape of colors is one.
	return String(stdout).replaceAll(/\x1b\[[\d;]*m/g, '');
}

describe('the conformance suite', () => {
	it.each(CONFORMANCE)('finds no more to say of $scenario', async ({ scenario, fails = {} }) => {
		const printed = await output('conformance', 'server', '--url', url, '--scenario', scenario);
		const checks = [...printed.matchAll(/\[([\w-]+) *\] +(SUCCESS|FAILURE)/g)];
		expect(checks.filter(([, , verdict]) => verdict === 'SUCCESS').length, printed).toBeGreaterThan(0);
		const failed = checks.filter(([, , verdict]) => verdict === 'FAILURE').map(([, id]) => id);
		expect([...new Set(failed)].toSorted()).toEqual(Object.keys(fails).toSorted());
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
