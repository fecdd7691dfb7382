/** A tool, and the tools that start jobs. */
import type { StatusDocument } from '../../core/job/document.ts';
import type { RequestContext } from '../request-context.ts';

/** As `tools/list` shows it. */
export interface Tool {
	readonly name: string;
	readonly description: string;
	readonly inputSchema: ObjectSchema;
	readonly annotations?: {
		readonly readOnlyHint?: boolean;
		readonly destructiveHint?: boolean;
		readonly idempotentHint?: boolean;
	};
}

export interface ObjectSchema {
	readonly type: 'object';
	readonly properties?: Readonly<Record<string, object>>;
	readonly required?: readonly string[];
	readonly [keyword: string]: unknown;
}

/** A tool that starts a job. */
export interface JobStarter {
	readonly name: string;
	/** Built when it is asked for. */
	readonly tool: () => Tool;
	/** Whether only clients with tasks may call it. */
	readonly needsTasks: boolean;
	/** Whether a job's input is one of the arguments. Otherwise all of them are the input. */
	readonly wrapsInput: boolean;
	/** The time in which its jobs end, in seconds. Default: nobody knows. */
	readonly endsWithinSeconds?: number | undefined;
	/** @throws {Problem} for arguments that are no submission. Its faults are JSON Pointers into the arguments, and those of the key. */
	readonly submit: (context: RequestContext, submission: ToolSubmission) => Promise<StatusDocument>;
}

export interface ToolSubmission {
	readonly arguments: Readonly<Record<string, unknown>>;
	/** The same key and arguments are the same job. */
	readonly idempotencyKey: string | undefined;
	/** Aborts the download of an input. */
	readonly signal: AbortSignal;
}

/** Tools have underscores where tasks and upstreams have dashes, as hosts expect. */
export function toolName(name: string): string {
	return name.replaceAll('-', '_');
}
