/** The tools that the conformance suite of the Model Context Protocol calls, as tasks of a Worker. */
import * as z from 'zod';
import { coatcheck } from '../../../src/coatcheck.ts';
import { defineTask, TaskError } from '../../../src/work/task.ts';

export { BatchObject } from '../../../src/object/batch-object.ts';
export { JobObject } from '../../../src/object/job-object.ts';
export { TenantObject } from '../../../src/object/tenant-object.ts';
export { TopicObject } from '../../../src/object/topic-object.ts';
export { UpstreamGate } from '../../../src/object/upstream-gate.ts';

const text = (content: string) => new Response(content, { headers: { 'content-type': 'text/plain' } });

const greet = defineTask({
	name: 'greet',
	description: 'Says hello, within milliseconds.',
	input: z.object({ name: z.string() }),
	lane: 'now',
	run: ({ name }) => text(`Hello, ${name}!`),
});

const slowCompute = defineTask({
	name: 'slow-compute',
	description: 'Waits, and then has a result.',
	input: z.object({ seconds: z.number(), label: z.string().optional() }),
	timeoutSeconds: 120,
	run: async ({ seconds, label = '' }, { signal }) => {
		await new Promise((resolve, reject) => {
			setTimeout(resolve, seconds * 1_000);
			signal.addEventListener('abort', () => reject(signal.reason));
		});
		return text(`computed ${label}`);
	},
});

const failingJob = defineTask({
	name: 'failing-job',
	description: 'Fails after a second.',
	input: z.looseObject({}),
	mcp: 'task-required',
	maxAttempts: 1,
	run: async () => {
		await new Promise((resolve) => setTimeout(resolve, 1_000));
		throw new TaskError('OutOfPaper', 'Fill in paper', { retryable: false });
	},
});

const protocolErrorJob = defineTask({
	name: 'protocol-error-job',
	description: 'Fails as a defect of the service does.',
	input: z.looseObject({}),
	maxAttempts: 1,
	run: () => {
		throw new TaskError('Internal', 'A defect', { retryable: false });
	},
});

const simpleText = defineTask({
	name: 'test-simple-text',
	description: 'Answers with a text.',
	input: z.looseObject({}),
	lane: 'now',
	run: () => text('This is a simple text response for testing.'),
});

const errorHandling = defineTask({
	name: 'test-error-handling',
	description: 'Answers with an error.',
	input: z.looseObject({}),
	lane: 'now',
	maxAttempts: 1,
	run: () => {
		throw new TaskError('TestError', 'This tool intentionally returns an error for testing', { retryable: false });
	},
});

export default coatcheck({ tasks: [greet, slowCompute, failingJob, protocolErrorJob, simpleText, errorHandling] });
