/** Tasks whose types keep their names, inputs and results. */
import * as z from 'zod';
import { defineTask as define } from '../../src/work/task.ts';

export const greet = define({
	name: 'greet',
	description: 'JSON in, JSON out.',
	input: z.strictObject({ name: z.string(), times: z.int().default(1) }),
	run: async ({ name, times }) => ({ greeting: `Hello, ${name}`.repeat(times) }),
});

export const shrink = define({
	name: 'shrink',
	description: 'Bytes in, bytes out, with parameters of which one is needed.',
	input: { mediaTypes: ['image/*'] },
	parameters: z.object({ width: z.coerce.number(), fit: z.enum(['cover', 'contain']).default('cover') }),
	run: (input) => new Response(input.stream()),
});

export const either = define({
	name: 'either',
	description: 'JSON or bytes in; now and then nothing out.',
	input: { json: z.strictObject({ url: z.string() }), binary: { mediaTypes: ['text/csv'] } },
	parameters: z.object({ header: z.enum(['true', 'false']).default('true') }),
	run: (input): number | undefined => ('url' in input ? input.url.length : undefined),
});
