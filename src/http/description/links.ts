/** The operations that continue from a response: OpenAPI's `links`. Each gets the id in the body. */

const toJob = (operationId: string, description: string) => ({
	operationId,
	description,
	parameters: { id: '$response.body#/id' },
});

export const LINKS = {
	JobStatus: toJob('getJob', 'The status. The URL with its token is `Location`, and `links.self` in the body.'),
	OperationStatus: toJob('getOperation', 'The status that never redirects: `links.operation`.'),
	JobResult: toJob('getJobResult', 'The result: `links.result`.'),
	JobEvents: toJob('getJobEvents', 'The events: `links.events`.'),
	CancelJob: toJob('cancelJob', 'Cancels the job: `links.cancel`.'),
	RetryJob: toJob('retryJob', 'Runs a failed or canceled job again.'),
	BatchStatus: toJob('getBatch', 'The counts: `links.self`.'),
	ActionStatus: toJob('getAction', "The action's status: `links.self`."),
	StopAction: toJob('stopAction', 'Stops the action.'),
} as const;

export type LinkName = keyof typeof LINKS;

export const JOB_LINKS: readonly LinkName[] = ['JobStatus', 'OperationStatus', 'JobResult', 'JobEvents', 'CancelJob'];
