/** What other services cost for the same job, the source of each price and the date on which it was read. */
import { dollarsAMillion, PRICES, type Usage } from '../../src/core/cost/prices.ts';

export interface Other {
	readonly name: string;
	readonly dollarsAMillion: number;
	/** How the figure is composed. */
	readonly how: string;
	/** The features that a user has to add for the same job. */
	readonly without: string;
	readonly source: string;
	readonly asOf: string;
}

/** One step, created and polled twice by a Worker. Its state is kept for a day instead of the default of thirty. */
const WORKFLOW_JOB: Usage = { workerRequests: 1 + 1 + 2, workflowSteps: 1, cpuMs: 4, storedGbMonths: 12e-6 / 30 };

export const OTHERS: readonly Other[] = [
	{
		name: 'Cloudflare Workflows, one step',
		dollarsAMillion: dollarsAMillion(WORKFLOW_JOB),
		how: 'step 8.00, instance 0.30, submit and 2 polls over a Worker 0.90, CPU of 4 ms 0.08, a day of 12 KB 0.08',
		without: 'being told (socket, stream, webhook), idempotency, cancel of running work',
		source: PRICES.workflowSteps.source,
		asOf: PRICES.workflowSteps.asOf,
	},
	{
		name: 'Upstash QStash',
		dollarsAMillion: 10,
		how: 'a message delivered once, $1 per 100,000',
		without: 'the endpoint that works, anywhere to ask for status and result',
		source: 'https://upstash.com/pricing/qstash',
		asOf: '2026-06-13',
	},
	{
		name: 'AWS Step Functions, standard',
		dollarsAMillion: 25,
		how: 'one state transition, $0.025 per 1,000',
		without: 'the API in front, the function that works',
		source: 'https://aws.amazon.com/step-functions/pricing/',
		asOf: '2026-03-14',
	},
	{
		name: 'AWS Step Functions, express',
		dollarsAMillion: 1 + 0.1 * (64 / 1_024) * 16.67,
		how: 'a request 1.00, 100 ms of 64 MB at $0.00001667 a GB-s 0.10',
		without: 'the API in front, the function that works, anywhere to ask for status and result',
		source: 'https://aws.amazon.com/step-functions/pricing/',
		asOf: '2026-03-14',
	},
	{
		name: 'AWS Lambda durable functions, one operation',
		dollarsAMillion: 8.2,
		how: 'a durable operation 8.00, a request 0.20',
		without: 'the API in front, the duration of the function, its storage, anywhere to ask for status and result',
		source: 'https://aws.amazon.com/lambda/pricing/',
		asOf: '2026-09-20',
	},
	{
		name: 'Vercel Workflows, one step',
		dollarsAMillion: 25,
		how: 'a step, $2.50 per 100,000',
		without: 'the functions, storage, being told',
		source: 'https://vercel.com/docs/workflow/pricing',
		asOf: '2026-06-16',
	},
];
