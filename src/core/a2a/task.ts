/** A job as a task of the Agent2Agent protocol 1.0, in its JSON form. Pure. */
import { defined } from '../defined.ts';
import type { JobFacts } from '../job/document.ts';
import type { Status } from '../job/record.ts';
import type { Content, ToolResult } from '../mcp/content.ts';

const STATES = {
	pending: 'TASK_STATE_SUBMITTED',
	running: 'TASK_STATE_WORKING',
	succeeded: 'TASK_STATE_COMPLETED',
	failed: 'TASK_STATE_FAILED',
	canceled: 'TASK_STATE_CANCELED',
} as const satisfies Record<Status, string>;

export type TaskState = (typeof STATES)[Status];

export type Part =
	| { readonly text: string; readonly mediaType: string }
	| { readonly data: unknown; readonly mediaType: string }
	| { readonly raw: string; readonly mediaType: string }
	| { readonly url: string; readonly mediaType: string };

interface TaskStatus {
	readonly state: TaskState;
	readonly timestamp: string;
	/** What the work said last, or why it failed. */
	readonly message?: {
		readonly messageId: string;
		readonly taskId: string;
		readonly contextId: string;
		readonly role: 'ROLE_AGENT';
		readonly parts: readonly Part[];
	};
}

export interface Artifact {
	readonly artifactId: string;
	readonly name: string;
	readonly parts: readonly Part[];
}

export interface A2aTask {
	/** The job's id. */
	readonly id: string;
	/** The job's correlation id. */
	readonly contextId: string;
	readonly status: TaskStatus;
	readonly artifacts?: readonly Artifact[];
	readonly metadata: { readonly task: string; readonly percentComplete?: number };
}

/** A message of a stream. */
export type StreamResponse =
	| { readonly task: A2aTask }
	| { readonly statusUpdate: Pick<A2aTask, 'contextId' | 'status' | 'metadata'> & { readonly taskId: string } }
	| {
			readonly artifactUpdate: {
				readonly taskId: string;
				readonly contextId: string;
				readonly artifact: Artifact;
				readonly lastChunk: true;
			};
	  };

/** The status of the jobs in this state; `undefined` for a state that no job has. */
export function jobStatusFor(state: string): Status | undefined {
	return (Object.keys(STATES) as Status[]).find((status) => STATES[status] === state);
}

export function a2aTask(facts: JobFacts, artifact?: Artifact): A2aTask {
	const { id, task, correlationId, percentComplete } = facts;
	return defined({
		id,
		contextId: correlationId,
		status: taskStatus(facts),
		artifacts: artifact && [artifact],
		metadata: defined({ task, percentComplete }),
	});
}

/** @param note what to say of a task that has not failed. Default: what its work said last. */
export function statusUpdate(facts: JobFacts, note?: string): StreamResponse {
	const { id: taskId, contextId, metadata } = a2aTask(facts);
	return { statusUpdate: { taskId, contextId, status: taskStatus(facts, note), metadata } };
}

export function artifactUpdate({ id: taskId, correlationId: contextId }: JobFacts, artifact: Artifact): StreamResponse {
	return { artifactUpdate: { taskId, contextId, artifact, lastChunk: true } };
}

function taskStatus(
	{ id, seq, status, correlationId, lastUpdatedAt, error, progress }: JobFacts,
	note = progress?.message,
): TaskStatus {
	const text = error ? `${error.code}: ${error.message}` : note;
	const message = text !== undefined && {
		messageId: `${id}-${seq}`,
		taskId: id,
		contextId: correlationId,
		role: 'ROLE_AGENT' as const,
		parts: [textPart(text)],
	};
	return defined({ state: STATES[status], timestamp: lastUpdatedAt, message: message || undefined });
}

/** The result of a tool as the artifact of its task. */
export function resultArtifact({ content, structuredContent }: ToolResult): Artifact {
	const parts =
		structuredContent === undefined
			? content.map(contentPart)
			: [{ data: structuredContent, mediaType: 'application/json' }];
	return { artifactId: 'result', name: 'result', parts };
}

function contentPart(content: Content): Part {
	switch (content.type) {
		case 'text':
			return textPart(content.text);
		case 'resource_link':
			return { url: content.uri, mediaType: content.mimeType };
		default:
			return { raw: content.data, mediaType: content.mimeType };
	}
}

function textPart(text: string): Part {
	return { text, mediaType: 'text/plain' };
}
