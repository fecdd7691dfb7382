import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { curlLine, quoteForShell } from '../../dashboard/src/pure/curl.ts';

it.each([
	"it's",
	'$(touch here)',
	'`id`',
	'"; rm -rf /',
	'\\',
	"'''",
	'a\nb',
	'!!',
])('quotes %j so that a shell reads it unchanged', (text) => {
	expect(execFileSync('sh', ['-c', `printf %s ${quoteForShell(text)}`], { encoding: 'utf8' })).toBe(text);
});

it('takes the key from the environment, and is never the key', () => {
	const line = curlLine({ method: 'GET', url: 'https://a.example/v1/jobs/1', needsKey: true });
	expect(line).toBe(`curl -sS -i -H "Authorization: Bearer $COATCHECK_API_KEY" 'https://a.example/v1/jobs/1'`);
});

it('names a method only where curl would take another one', () => {
	const url = 'https://a.example/';
	expect(curlLine({ method: 'POST', url, body: '{}', needsKey: false })).toBe(
		`curl -sS -i --data-binary '{}' 'https://a.example/'`,
	);
	expect(curlLine({ method: 'POST', url, needsKey: false })).toContain('-X POST');
});
