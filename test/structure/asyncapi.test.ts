/** `/asyncapi.json` is AsyncAPI 3, by the schema of its authors. */
import { execFileSync } from 'node:child_process';
import specs from '@asyncapi/specs';
import { type Schema, Validator } from '@cfworker/json-schema';
import { expect, it } from 'vitest';
import { ROOT } from './style.ts';

const document = JSON.parse(
	execFileSync(process.execPath, ['deploy/api-page.ts', '--print-events'], { cwd: ROOT, encoding: 'utf8' }),
) as { channels: Record<string, object> };

const validator = new Validator(specs.schemasWithoutId['3.0.0'] as Schema, '7');

it('the description of the events is valid AsyncAPI 3', () => {
	expect(validator.validate(document).errors).toEqual([]);
	expect(validator.validate({ ...document, channels: { job: { address: 1 } } }).valid).toBe(false);
});

it('it describes sockets, streams and webhooks', () => {
	const channels = ['jobSocket', 'jobStream', 'topicSocket', 'topicStream', 'jobWebhook', 'topicWebhook'];
	expect(Object.keys(document.channels)).toEqual(channels);
});
