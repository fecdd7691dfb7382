/** The page about agents shows what the conformance suite says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { SERVER_VERSION } from '../../src/http/mcp/server-version.ts';
import { conformanceRows } from '../interop/mcp/conformance.ts';
import { ROOT } from './style.ts';

describe('docs/agents.md', () => {
	it('has a row for each scenario, with the checks that fail', () => {
		const page = readFileSync(join(ROOT, 'docs/agents.md'), 'utf8');
		expect(page).toContain(conformanceRows().join('\n'));
	});

	it('is about servers that name the version of the package', () => {
		const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
		expect(SERVER_VERSION).toBe(version);
		for (const server of ['mcp/serve.ts', 'a2a/card.ts'])
			expect(readFileSync(join(ROOT, 'src/http', server), 'utf8')).toContain('version: SERVER_VERSION');
	});
});
