import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** Runs the audit against a registry that answers every request about vulnerabilities with this. */
async function audit(status: number, body: unknown): Promise<{ code: number; output: string; asked: string[] }> {
	const asked: string[] = [];
	const registry = createServer((request, response) => {
		asked.push(`${request.method} ${request.url}`);
		const isAudit = request.url?.startsWith('/-/npm/v1/security') ?? false;
		response.writeHead(isAudit ? status : 404, { 'content-type': 'application/json' });
		response.end(JSON.stringify(isAudit ? body : {}));
	});
	await new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve));
	const cache = await mkdtemp(join(tmpdir(), 'coatcheck-audit-'));
	onTestFinished(async () => {
		registry.close();
		await rm(cache, { recursive: true, force: true });
	});
	const env = {
		...process.env,
		npm_config_registry: `http://127.0.0.1:${(registry.address() as AddressInfo).port}/`,
		npm_config_cache: cache,
		npm_config_fetch_retries: '0',
	};
	return new Promise((resolve) => {
		execFile(process.execPath, ['deploy/audit.ts'], { cwd: ROOT, env }, (error, stdout, stderr) =>
			resolve({ code: error ? Number(error.code) : 0, output: stdout + stderr, asked }),
		);
	});
}

const advisory = (severity: string) => [
	{ id: 1, url: 'https://example.com/advisory', title: 'Broken', severity, vulnerable_versions: '<99' },
];

describe('npm run audit', () => {
	it('passes when nothing is known against what is deployed', async () => {
		const { code, output, asked } = await audit(200, {});
		expect(output).toContain('Dependencies audited: 0 high or critical');
		expect(code).toBe(0);
		expect(asked).toContain('POST /-/npm/v1/security/advisories/bulk');
	});

	it.each(['high', 'critical'])('fails when something %s is known, and names it', async (severity) => {
		const { code, output } = await audit(200, { zod: advisory(severity) });
		expect(output).toContain(`${severity}: zod`);
		expect(code).toBe(1);
	});

	it('passes when something is known against a package that only builds or tests', async () => {
		const { code, output } = await audit(200, { vitest: advisory('critical') });
		expect(output).toContain('0 high or critical, 0 lesser');
		expect(code).toBe(0);
	});

	it.each([
		'csv-parse',
		'preact',
		'jose',
	])('fails when something is known against %s, which is deployed', async (name) => {
		expect((await audit(200, { [name]: advisory('high') })).code).toBe(1);
	});

	it('passes when only lesser things are known, and counts them', async () => {
		const { code, output } = await audit(200, { canonicalize: advisory('moderate') });
		expect(output).toContain('0 high or critical, 1 lesser');
		expect(code).toBe(0);
	});

	it.each([
		404, 405,
	])('says that nothing was looked at when the registry has no audits and answers %i', async (status) => {
		const { code, output } = await audit(status, {});
		expect(output).toContain(`NOT AUDITED: the registry that npm is set to offers no audits (it answered ${status})`);
		expect(code).toBe(0);
	});

	it('fails when it can’t be found out', async () => {
		const { code, output } = await audit(500, {});
		expect(output).toContain('could not be audited');
		expect(code).toBe(1);
	});
});
