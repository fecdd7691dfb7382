import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { unstable_readConfig } from 'wrangler';
import packageJson from '../../package.json' with { type: 'json' };

const CONFIG = fileURLToPath(new URL('../../wrangler.toml', import.meta.url));

interface Limit {
	readonly name: string;
	readonly simple: { readonly limit: number; readonly period: number };
}

describe('the deployment', () => {
	it('says of its limits what the platform counts to', () => {
		const { ratelimits, vars } = unstable_readConfig({ config: CONFIG });
		const counted = ratelimits.map(({ name, simple: { limit, period } }: Limit) => [name, `${limit}/${period}s`]);
		const said = Object.entries(vars).map(([name, value]) => [name.replace('RATE_LIMIT', 'LIMITER'), value]);
		expect(counted).toHaveLength(2);
		expect(said).toEqual(expect.arrayContaining(counted));
	});

	it('is not opened by what is deployed', () => {
		const { vars } = unstable_readConfig({ config: CONFIG });
		for (const name of ['AUTH', 'ALLOW_PRIVATE_TARGETS', 'SIGNING_KEYS', 'WEBHOOK_SECRETS', 'API_KEYS'])
			expect(vars).not.toHaveProperty(name);
	});

	it('keeps variables of environments and of one person out of git, and all variables out of the package', () => {
		const ignored = readFileSync(new URL('../../.gitignore', import.meta.url), 'utf8').split('\n');
		expect(ignored).toEqual(expect.arrayContaining(['.dev.vars.*', '.env.*']));
		expect(packageJson.files).toEqual(['lib', 'dashboard/dist', 'CHANGELOG.md']);
	});

	it('keeps every line that it logs, none for an invocation, and a sample of traces', () => {
		const { observability } = unstable_readConfig({ config: CONFIG });
		expect(observability).toMatchObject({
			enabled: true,
			redact_query_string: true,
			logs: { enabled: true, head_sampling_rate: 1, invocation_logs: false },
			traces: { enabled: true },
		});
		expect(observability).not.toHaveProperty('head_sampling_rate');
		expect(observability?.traces?.head_sampling_rate).toBeLessThanOrEqual(0.05);
	});

	it('lets objects go on with their code for a while when another version is deployed', () => {
		const { durable_objects } = unstable_readConfig({ config: CONFIG });
		expect(durable_objects.code_update_strategy).toEqual({ mode: 'deferred', max_delay: 300 });
	});

	it('calls what its clients name by the front door, also in its own zone', () => {
		const { compatibility_flags } = unstable_readConfig({ config: CONFIG });
		expect(compatibility_flags).toContain('global_fetch_strictly_public');
	});
});
