/** The tasks of the comparison. An earlier version runs this file too, so it uses only what version 0.1.0 has. */
import * as z from 'zod';
import { defineTask } from '../../src/work/task.ts';

export const wait = defineTask({
	name: 'wait',
	description: 'Waits, as for a slow service, and returns the time of its end. With 0 ms it is an instant job.',
	input: z.strictObject({ ms: z.int().min(0) }),
	run: async ({ ms }) => {
		if (ms > 0) await scheduler.wait(ms);
		return { returnedAt: Date.now() };
	},
});

export const echo = defineTask({
	name: 'echo',
	description: 'Answers with the bytes it was sent.',
	input: { mediaTypes: ['application/octet-stream'] },
	run: (input) => new Response(input.stream(), { headers: { 'content-type': input.mediaType } }),
});
