import { expect, it } from 'vitest';
import { parseVariables } from '../../../cli/configuration/variables.ts';

it('reads .dev.vars as wrangler does: quotes, comments, and values of several lines', () => {
	const text = `# local\nexport AUTH="none" # open\nSIGNING_KEYS='{"k": "a#b"}'\nAPI_KEYS='[\n  1\n]'\nEMPTY=\n`;
	expect(parseVariables(text)).toEqual({
		AUTH: 'none',
		SIGNING_KEYS: '{"k": "a#b"}',
		API_KEYS: '[\n  1\n]',
		EMPTY: '',
	});
});
