/** The commands against `wrangler dev` with keys, as a deployment has them. */
import { randomUUID } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { freePort } from '../../../demo/local-worker.ts';
import { type Client, createClient, type SubmittedJob } from '../../../src/client/index.ts';
import { newKey } from '../../deploy/new-key.ts';
import { complete } from '../../interop/jobs.ts';
import { type Server, startServer } from '../../interop/server.ts';
import { type CommandOptions, runCommand, runOnTerminal, runShell } from './command.ts';

const PHOTOGRAPH = fileURLToPath(new URL('../../../demo/data/hubble-extreme-deep-field.jpg', import.meta.url));
/** Begins every command to a terminal. */
const ESCAPE = '\u001b';
const FAILURE = { code: 'Nightmare', message: 'Woke up screaming' };

let server: Server;
let client: Client;
let folder: string;
let key: string;
let env: Record<string, string>;

beforeAll(async () => {
	const { secret, line } = await newKey(['--tenant', 'acme', '--scopes', 'admin']);
	server = await startServer({ AUTH: 'required', API_KEYS: `[${line}]` });
	key = secret;
	client = createClient({ baseUrl: server.origin, apiKey: key });
	env = { COATCHECK_URL: server.origin, COATCHECK_API_KEY: key };
	folder = await mkdtemp(join(tmpdir(), 'coatcheck-cli-'));
});
afterAll(async () => {
	await server?.stop();
	await rm(folder, { recursive: true, force: true });
});

const coatcheck = (args: readonly string[], options: CommandOptions = {}) =>
	runCommand(args, { ...options, cwd: folder, env: { ...env, ...options.env } });
const finish = async (job: SubmittedJob) => complete(await job.accepted());
const sleep = (input: object) => ['submit', 'sleep', '--input', JSON.stringify(input)];
const JSON_LINE = /^\{.*\}\n$/;

describe('submit', { concurrent: true }, () => {
	it('prints the URL of the job and nothing else, so that another command can take it', async () => {
		const { code, stdout, stderr } = await coatcheck(sleep({ seconds: 0 }));
		expect([code, stderr]).toEqual([0, '']);
		expect(stdout).toMatch(/^http:\S+\/v1\/jobs\/[0-9a-f]{64}\?token=\S+\n$/);
	});

	it('prints the status document with --json, with the tags, ids and limits that were asked for', async () => {
		const options = ['--tag', 'a', '--tag', 'b', '--correlation-id', 'order-42', '--max-attempts', '7', '--json'];
		const { stdout } = await coatcheck([...sleep({ seconds: 0 }), ...options]);
		expect(stdout).toMatch(JSON_LINE);
		expect(JSON.parse(stdout)).toMatchObject({ tags: ['a', 'b'], correlationId: 'order-42', maxAttempts: 7 });
	});

	it('submits one job for one idempotency key', async () => {
		const again = [...sleep({ seconds: 0 }), '--idempotency-key', 'cli-once', '--json'];
		const [one, two] = [await coatcheck(again), await coatcheck(again)];
		expect(JSON.parse(one.stdout).id).toBe(JSON.parse(two.stdout).id);
	});

	it('waits for the result with --wait, with the input from stdin', async () => {
		const { code, stdout } = await coatcheck(['submit', 'sleep', '--input', '-', '--wait'], { input: '{"seconds":0}' });
		expect([code, stdout]).toEqual([0, '{"sleptSeconds":0,"attempt":1}\n']);
	});

	it('sends a file as bytes with its media type and parameters, and saves the result', async () => {
		const args = ['submit', 'thumbnail', '--file', PHOTOGRAPH, '--param', 'width=100', '--output', 'small.jpg'];
		const { code, stdout, stderr } = await coatcheck([...args, '--watch']);
		expect([code, stdout]).toEqual([0, '']);
		expect(stderr).toMatch(/100 % {2}succeeded[\s\S]*Saved \d+ bytes \(image\/jpeg\) as small\.jpg/);
		expect([...(await readFile(join(folder, 'small.jpg'))).subarray(0, 3)]).toEqual([0xff, 0xd8, 0xff]);
		expect((await readdir(folder)).filter((name) => name.endsWith('.part'))).toEqual([]);
	});

	it('writes the result into what stdout is with --output /dev/stdout', async () => {
		const args = [...sleep({ seconds: 0 }), '--output', '/dev/stdout'];
		expect(await coatcheck(args)).toMatchObject({ code: 0, stdout: '{"sleptSeconds":0,"attempt":1}' });
		const { code, stdout } = await runShell(`coatcheck ${args.map((arg) => `'${arg}'`).join(' ')} | cat`, { env });
		expect([code, stdout]).toEqual([0, '{"sleptSeconds":0,"attempt":1}']);
	});

	it('prints the events as JSON lines with --watch --json', async () => {
		const { code, stdout } = await coatcheck([...sleep({ seconds: 0 }), '--watch', '--json']);
		const types = stdout
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line).type);
		expect([code, types[0], types.at(-1)]).toEqual([0, 'accepted', 'succeeded']);
	});

	it('ends with 1 when the job fails, and says why', async () => {
		const { code, stdout, stderr } = await coatcheck([...sleep({ seconds: 0, error: FAILURE }), '--wait']);
		expect([code, stdout]).toEqual([1, '']);
		expect(stderr).toMatch(/^The job: http.*\ncoatcheck: Nightmare: Woke up screaming\n$/);
	});

	it('shows where the input is wrong', async () => {
		const { code, stderr } = await coatcheck(sleep({ seconds: 'long' }));
		expect(code).toBe(1);
		expect(stderr).toMatch(/^coatcheck: InvalidInput: .*\n {2}\/input\/seconds: .*expected number/);
	});
});

describe('watch', { concurrent: true }, () => {
	it('shows a job to its end, and says where the result is', async () => {
		const job = client.submit('sleep', { seconds: 0, steps: 4, wait: true });
		let ending: Promise<void> | undefined;
		const { code, stdout } = await coatcheck(['watch', await job.url], {
			// However late the command begins, the job ends afterwards.
			onOutput: (said) => {
				if (said.includes('waiting for a client')) ending ??= finish(job);
			},
		});
		await ending;
		expect(stdout).toMatch(
			/ 50 % {2}\w+ {2,}waiting for a client[\s\S]*\n100 % {2}succeeded .*\nJob \w{8}…: succeeded after \d+\.\d s\n/,
		);
		expect(stdout).toContain(`${await job.id}/result`);
		expect([code, stdout.includes(ESCAPE)]).toEqual([0, false]);
	});

	it('takes an id with a key, and prints events as JSON lines', async () => {
		const job = client.submit('sleep', { seconds: 0 });
		await job.result();
		const { code, stdout } = await coatcheck(['watch', await job.id, '--json', '--after', '0']);
		const types = stdout
			.trimEnd()
			.split('\n')
			.map((line) => JSON.parse(line).type);
		expect([code, types[0], types.at(-1)]).toEqual([0, 'accepted', 'succeeded']);
	});

	it('needs no key for a URL with its token', async () => {
		const job = client.submit('sleep', { seconds: 0 });
		const { code } = await coatcheck(['watch', await job.url], { env: { COATCHECK_API_KEY: '' } });
		expect(code).toBe(0);
	});

	it('ends with 1 for a job that fails, and says how', async () => {
		const { code, stdout } = await coatcheck([
			'watch',
			await client.submit('sleep', { seconds: 0, error: FAILURE }).url,
		]);
		expect(stdout).toContain('Nightmare: Woke up screaming');
		expect(code).toBe(1);
	});

	it('draws a bar in one line on a terminal, and no colour with NO_COLOR', async () => {
		const watch = async (more: Record<string, string>) => {
			const job = client.submit('sleep', { seconds: 1, steps: 4 });
			return runOnTerminal(['watch', await job.url], { env: { ...env, ...more } });
		};
		const [coloured, plain] = await Promise.all([watch({}), watch({ NO_COLOR: '1' })]);
		expect(coloured.stdout).toContain(`\r${ESCAPE}[K  ${ESCAPE}[36m█`);
		expect(plain.stdout).toContain('100 %  succeeded');
		expect(plain.stdout).not.toContain(ESCAPE);
		expect(plain.stdout).not.toContain('█');
	});

	it('ends with 130 when it is interrupted, and the job goes on', async () => {
		const job = client.submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const { code, stderr } = await coatcheck(['watch', await job.url], {
			onOutput: (said, interrupt) => said.includes('delayed') && interrupt(),
		});
		expect(stderr).toBe('coatcheck: Interrupted: Stopped watching; the job continues\n');
		expect(code).toBe(130);
		expect(await job.cancel()).toMatchObject({ status: 'canceled' });
	});
});

describe('result', { concurrent: true }, () => {
	it('prints JSON, and ends with 3 for a job that has not ended', async () => {
		const done = client.submit('sleep', { seconds: 0 });
		await done.result();
		expect(await coatcheck(['result', await done.id])).toMatchObject({
			code: 0,
			stdout: '{"sleptSeconds":0,"attempt":1}\n',
		});
		const job = client.submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const { code, stdout, stderr } = await coatcheck(['result', await job.url]);
		expect([code, stdout]).toEqual([3, '']);
		expect(stderr).toContain('NotFinished: The job is pending');
		await job.cancel();
		expect(await coatcheck(['result', await job.url])).toMatchObject({
			code: 1,
			stderr: expect.stringContaining('Canceled'),
		});
	});

	it('writes bytes into a pipe as they are, and asks for a file with --json', async () => {
		const photograph = new Blob([await readFile(PHOTOGRAPH)], { type: 'image/jpeg' });
		const job = client.submit('thumbnail', photograph, { parameters: { width: 50 } });
		const expected = Buffer.from(await (await job.response()).arrayBuffer());
		const { code } = await runShell('coatcheck result "$JOB" > piped.jpg', {
			cwd: folder,
			env: { ...env, JOB: await job.id },
		});
		expect(code).toBe(0);
		expect((await readFile(join(folder, 'piped.jpg'))).equals(expected)).toBe(true);
		const asked = await coatcheck(['result', await job.id, '--json']);
		expect(asked).toMatchObject({ code: 2, stdout: '', stderr: expect.stringContaining('expected --output') });
	});
});

describe('list, counts, cancel and retry', () => {
	it('finds the jobs of a tag page by page, counts them, and runs one of them again', async () => {
		const options = { tags: ['listed'], maxAttempts: 1 };
		const jobs = [1, 2, 3].map(() => client.submit('sleep', { seconds: 0, error: FAILURE }, options));
		await Promise.all(jobs.map((job) => job.result().catch(() => {})));
		const filter = ['--tag', 'listed', '--status', 'failed', '--created-after', '1h'];
		await vi.waitFor(async () => {
			const { stdout } = await coatcheck(['counts', ...filter, '--json']);
			expect(JSON.parse(stdout)).toMatchObject({ total: 3, byErrorCode: { Nightmare: 3 } });
		}, 30_000);
		const first = JSON.parse((await coatcheck(['list', ...filter, '--limit', '2', '--json'])).stdout);
		const aged = await coatcheck(['list', ...filter, '--cursor', first.nextCursor]);
		expect(aged).toMatchObject({ code: 2, stderr: expect.stringContaining('--created-after: expected the time') });
		const fixed = [...filter.slice(0, -1), first.filter.createdAfter];
		const cursor = ['--cursor', first.nextCursor];
		const second = JSON.parse((await coatcheck(['list', ...fixed, '--limit', '2', ...cursor, '--json'])).stdout);
		const found = [...first.jobs, ...second.jobs].map(({ id }: { id: string }) => id);
		expect(new Set(found)).toEqual(new Set(await Promise.all(jobs.map((job) => job.id))));
		const { stdout: table } = await coatcheck(['list', ...filter]);
		expect(table).toMatch(/^CREATED .* ID\n(.* failed .* Nightmare {2}[0-9a-f]{64}\n){3}$/);
		const retried = await coatcheck(['retry', found[0] ?? '']);
		expect([retried.code, retried.stdout.startsWith(`${server.origin}/v1/jobs/${found[0]}`)]).toEqual([0, true]);
	});

	it('cancels a job, and refuses to run one again that has not ended', async () => {
		const job = client.submit('sleep', { seconds: 0 }, { delaySeconds: 60 });
		const id = await job.id;
		const refused = await coatcheck(['retry', id]);
		expect(refused).toMatchObject({ code: 1, stdout: '', stderr: expect.stringContaining('NotRetryable') });
		expect(await coatcheck(['cancel', id])).toMatchObject({
			code: 0,
			stdout: expect.stringContaining('canceled after'),
		});
	});
});

describe('redrive', () => {
	const filter = ['--tag', 'redriven', '--status', 'failed'];

	it('asks before it acts, acts with --yes, and prints what was done', async () => {
		const options = { tags: ['redriven'], maxAttempts: 1 };
		const jobs = [1, 2].map(() => client.submit('sleep', { seconds: 0, error: FAILURE }, options));
		await Promise.all(jobs.map((job) => job.result().catch(() => {})));
		await vi.waitFor(async () => {
			const { total } = await client.jobs.counts({ tag: 'redriven', status: 'failed' });
			expect(total).toBe(2);
		}, 30_000);
		const unasked = await coatcheck(['redrive', ...filter]);
		expect(unasked).toMatchObject({
			code: 2,
			stderr: expect.stringContaining('This will retry 2 jobs with status=failed, tag=redriven'),
		});
		const declined = await runOnTerminal(['redrive', ...filter], { env, input: 'n\n' });
		expect([declined.code, declined.stdout.includes('Nothing was changed')]).toEqual([1, true]);
		const { code, stdout } = await coatcheck(['redrive', ...filter, '--yes', '--json']);
		expect(code).toBe(0);
		expect(JSON.parse(stdout)).toMatchObject({ action: 'retry', matched: 2, done: 2, status: 'succeeded' });
	});

	it('never acts on everything: a filter with a typing error, or none for a purge, is refused', async () => {
		expect(await coatcheck(['redrive', '--yes', '--tga', 'x'])).toMatchObject({
			code: 2,
			stderr: expect.stringContaining('--tga'),
		});
		expect(await coatcheck(['redrive', '--action', 'purge', '--yes'])).toMatchObject({ code: 2 });
	});
});

describe('tail', { concurrent: true }, () => {
	it('prints the events of a topic, as lines or as JSON lines', async () => {
		const topic = client.topic('pictures');
		await topic.publish({ name: 'galaxy.jpg' }, { type: 'uploaded', correlationId: 'order-42' });
		await topic.publish({ name: '\u001b[31mred' }, { type: 'uploaded' });
		const { code, stdout } = await coatcheck(['tail', 'pictures', '--after', '0', '--count', '2']);
		expect(code).toBe(0);
		expect(stdout).toMatch(/^1 {2}\S+ {2}uploaded {2}order-42 {2}\{"name":"galaxy\.jpg"\}\n2 /);
		expect(stdout).not.toContain(ESCAPE);
		const json = await coatcheck(['tail', 'pictures', '--after', '1', '--count', '1', '--json']);
		expect(JSON.parse(json.stdout)).toMatchObject({ seq: 2, data: { name: '\u001b[31mred' } });
	});

	it('ends with 130 by Ctrl-C, and quietly when its reader has seen enough', async () => {
		const topic = client.topic('endless');
		for (let seq = 1; seq <= 3; seq++) await topic.publish({ seq }, { type: 'tick' });
		const interrupted = await coatcheck(['tail', 'endless', '--after', '0'], {
			onOutput: (said, interrupt) => said.includes('"seq":3') && interrupt(),
		});
		expect(interrupted.code).toBe(130);
		const publishing = setInterval(() => void topic.publish({}, { type: 'tick' }), 200);
		const line = 'set -o pipefail; coatcheck tail endless --after 0 | head -n 1';
		const { code, stdout, stderr } = await runShell(line, { env });
		clearInterval(publishing);
		expect([code, stdout.split('\n').length, stderr]).toEqual([0, 2, '']);
	});
});

describe('tasks', () => {
	it('lists the tasks, with their schemas as JSON', async () => {
		expect((await coatcheck(['tasks'])).stdout).toMatch(/^TASK .*\n[\s\S]*thumbnail {2}/);
		const { tasks } = JSON.parse((await coatcheck(['tasks', '--json'])).stdout);
		expect(tasks.find(({ name }: { name: string }) => name === 'sleep').input.schema.properties).toHaveProperty(
			'seconds',
		);
	});
});

describe('doctor', () => {
	it('asks the deployment, too', async () => {
		await writeFile(join(folder, 'wrangler.toml'), await readFile(new URL('../../../wrangler.toml', import.meta.url)));
		const { code, stdout } = await coatcheck(['doctor', '--json']);
		const { findings } = JSON.parse(stdout);
		expect(findings).toContainEqual(
			expect.objectContaining({ code: 'Answers', message: expect.stringContaining('sleep') }),
		);
		expect(code).toBe(0);
	});
});

describe('a failure', { concurrent: true }, () => {
	it.each([
		['no command', [], 2, /Expected a command/],
		['an unknown command', ['lsit'], 2, /"lsit": expected one of init, dev/],
		['a name that every object has', ['toString'], 2, /expected one of/],
		['a missing argument', ['watch'], 2, /Missing required positional argument: JOB/],
		['an argument too many', ['tasks', 'sleep'], 2, /Expected 0 arguments, got: 1/],
		['no job', ['watch', 'https://example.com/v1/tasks?token=secret'], 2, /Expected a job: its id/],
		['a value that is missing', ['list', '--limit', '--phase', 'queued'], 2, /--limit: expected a value/],
		['a number that is none', ['list', '--limit', 'ten'], 2, /--limit: expected a whole number/],
		['an unknown status', ['list', '--status', 'done'], 2, /Expected one of: pending/],
		['a time that is none', ['list', '--created-after', 'noon'], 2, /--created-after: expected RFC 3339/],
		['JSON that is none', ['submit', 'sleep', '--input', '{seconds:1}'], 2, /--input: expected JSON/],
		['a file that is not there', ['submit', 'sleep', '--file', 'no.json'], 2, /ENOENT/],
		['a parameter without a value', ['submit', 'sleep', '--param', 'width'], 2, /--param: expected name=value/],
		['an unknown task', ['submit', 'slep', '--input', '{}'], 1, /UnknownTask: Unknown task "slep"/],
		['a job that nobody knows', ['watch', '0'.repeat(64)], 1, /JobNotFound/],
		['no deployment', ['list', '--url', 'ftp://example.com'], 2, /--url: expected an http\(s\) URL/],
	] as const)('for %s is one sentence on stderr', async (_, args, exitCode, said) => {
		const { code, stdout, stderr } = await coatcheck(args);
		expect(stderr).toMatch(said);
		expect(stderr).toMatch(/^coatcheck: /);
		expect(stderr).not.toMatch(/\n\s+at |secret/);
		expect([code, stdout]).toEqual([exitCode, '']);
	});

	it('is a JSON line on stderr with --json', async () => {
		const { code, stdout, stderr } = await coatcheck([...sleep({ seconds: 'long' }), '--json']);
		expect([code, stdout]).toEqual([1, '']);
		expect(stderr).toMatch(JSON_LINE);
		expect(JSON.parse(stderr).error).toMatchObject({
			code: 'InvalidInput',
			exitCode: 1,
			errors: [{ pointer: '/input/seconds' }],
		});
	});

	it('ends with 4 at once where no server is', async () => {
		const url = `http://127.0.0.1:${await freePort()}`;
		const { code, stderr } = await coatcheck(['list', '--url', url]);
		// After all of its tries, the client alone would say `no response`.
		expect([code, stderr]).toEqual([4, expect.stringContaining(`No server answers at ${url} (ECONNREFUSED)`)]);
	});

	it.each([
		'/',
		'/v1/tasks',
	])('ends with 4 where a server is that is no Coatcheck, and has a page for %s', async (found) => {
		const foreign = createServer(({ url }, response) => {
			response.writeHead(url === found ? 200 : 404, { 'content-type': 'text/html' }).end('<h1>Hello</h1>');
		});
		await new Promise<void>((resolve) => foreign.listen(0, '127.0.0.1', resolve));
		try {
			const { port } = foreign.address() as AddressInfo;
			const { code, stderr } = await coatcheck(['tasks', '--url', `http://127.0.0.1:${port}`]);
			expect([code, stderr]).toEqual([4, expect.stringContaining('NotCoatcheck')]);
		} finally {
			foreign.close();
		}
	});

	it('ends with 4 where a server speaks no TLS, and says why', async () => {
		const { code, stderr } = await coatcheck(['tasks', '--url', server.origin.replace('http:', 'https:')]);
		expect([code, stderr]).toEqual([4, expect.stringMatching(/No secure connection to https:.*\((ERR_SSL|EPROTO)/)]);
	});

	it('of a watch ends with 4 at once where no server is', async () => {
		const url = `http://127.0.0.1:${await freePort()}/v1/jobs/${'0'.repeat(64)}?token=x`;
		const { code, stderr } = await coatcheck(['watch', url], { env: { COATCHECK_API_KEY: '' } });
		expect([code, stderr]).toEqual([4, expect.stringContaining('ECONNREFUSED')]);
	});

	it('about a file names it once, with the reason', async () => {
		const { code, stderr } = await coatcheck(['submit', 'thumbnail', '--file', 'missing.jpg']);
		expect([code, stderr]).toEqual([2, expect.stringMatching(/^coatcheck: ENOENT: no such file.*missing\.jpg/)]);
	});

	it('names the job that was accepted, and submits none for a file that can not be saved', async () => {
		const failing = await coatcheck([...sleep({ seconds: 0, error: FAILURE }), '--wait']);
		expect(failing).toMatchObject({
			code: 1,
			stderr: expect.stringMatching(/The job: http.*\/v1\/jobs\/[0-9a-f]{64}/),
		});
		const tag = randomUUID();
		const lost = await coatcheck([...sleep({ seconds: 0 }), '--tag', tag, '-o', '/no/such/folder/file']);
		expect(lost.code).toBe(2);
		expect((await coatcheck(['counts', '--tag', tag, '--json'])).stdout).toContain('"total":0');
	});

	it('says that a key is missing, and never takes one as an argument', async () => {
		const without = await coatcheck(['tasks'], { env: { COATCHECK_API_KEY: '' } });
		expect(without).toMatchObject({ code: 1, stderr: expect.stringMatching(/Unauthorized[\s\S]*COATCHECK_API_KEY/) });
		const argued = await coatcheck(['tasks', '--key', 'ck_visible']);
		expect(argued).toMatchObject({ code: 2, stderr: expect.stringContaining('COATCHECK_API_KEY') });
		expect(argued.stderr).not.toContain('ck_visible');
	});
});
