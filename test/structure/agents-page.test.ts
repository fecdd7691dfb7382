/** The page about agents shows what the conformance suite says. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { conformanceRows } from '../interop/mcp/conformance.ts';
import { ROOT } from './style.ts';

describe('docs/agents.md', () => {
	it('has a row for each scenario, with the checks that fail', () => {
		const page = readFileSync(join(ROOT, 'docs/agents.md'), 'utf8');
		expect(page).toContain(conformanceRows().join('\n'));
	});

	it('is about a server that names the version of the package', () => {
		const { version } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as { version: string };
		expect(readFileSync(join(ROOT, 'src/http/mcp/serve.ts'), 'utf8')).toContain(`version: '${version}'`);
	});
});
