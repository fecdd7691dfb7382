import fc from 'fast-check';
import { expect, it } from 'vitest';
import { hideSecrets, prettyJson } from '../../dashboard/src/pure/json-text.ts';

it('keeps every number and string as it is written', () => {
	const text =
		'{"big":9007199254740993,"small":1.10,"exp":1E400,"text":"a\\u0041 {\\"b\\":1}, c","none":[],"empty":{}}';
	expect(prettyJson(text)).toBe(
		[
			'{',
			'  "big": 9007199254740993,',
			'  "small": 1.10,',
			'  "exp": 1E400,',
			'  "text": "a\\u0041 {\\"b\\":1}, c",',
			'  "none": [],',
			'  "empty": {}',
			'}',
		].join('\n'),
	);
});

it('changes nothing but white space in any JSON', () => {
	fc.assert(
		fc.property(fc.json(), (json) => {
			expect(JSON.parse(prettyJson(json))).toEqual(JSON.parse(json));
			expect(prettyJson(prettyJson(json))).toBe(prettyJson(json));
		}),
	);
});

it.each(['', 'no JSON', '{"a":', '<b>'])('leaves %j as it is', (text) => {
	expect(prettyJson(text)).toBe(text);
});

it('hides tokens of links and secrets of webhooks', () => {
	expect(hideSecrets('"https://a.example/v1/jobs/1?token=QA4-_x&after=1" whsec_abc+/=')).toBe(
		'"https://a.example/v1/jobs/1?token=•••&after=1" whsec_•••',
	);
});
