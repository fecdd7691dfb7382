/** The words in which operations are described. `openapi.ts` makes OpenAPI of them, and `deploy/api-page.ts` a page. */
import type * as z from 'zod';
import type { ProblemCode } from '../problem.ts';
import type { HeaderName } from './headers.ts';
import type { LinkName } from './links.ts';
import type { ParameterName } from './parameters.ts';
import type { CALLBACKS } from './webhooks.ts';

/** A schema, or JSON Schema as it is. */
export type Schema = z.ZodType | Readonly<Record<string, unknown>>;

/** Schemas by media type. */
export type Content = Readonly<Record<string, Schema>>;

/** One kind of response. */
export interface Answer {
	readonly description: string;
	/** Besides those of every response. */
	readonly headers?: readonly HeaderName[];
	/** Left out for a response without a body. */
	readonly content?: Content;
	/** The operations that continue from here. The body's `id` is the job's. */
	readonly links?: readonly LinkName[];
}

/** One operation of the API. */
export interface Operation {
	/** Name of the operation in generated clients. */
	readonly id: string;
	readonly tag: Tag;
	readonly summary: string;
	/** Markdown. Links lead to pages of `docs/`. */
	readonly description: string;
	/** The parameters in the query and in headers. Those of the path come from the path. */
	readonly parameters?: readonly ParameterName[];
	readonly body?: { readonly description: string; readonly content: Content; readonly isOptional?: true };
	/** Responses by status, without problems. */
	readonly answers: Readonly<Record<string, Answer>>;
	/** Besides those of every operation. */
	readonly problems?: readonly ProblemCode[];
	/** The response may be that of a finished job: its result, or its failure with any status and code. */
	readonly hasOutcome?: true;
	/** The media type of errors that have the form of another protocol. */
	readonly errorsAs?: string;
	/** Problems have no numeric status. */
	readonly hidesStatus?: true;
	/** Where the request names its webhook. */
	readonly webhookIn?: keyof typeof CALLBACKS;
}

export const TAGS = {
	Submit: 'Hand over work, and get a job.',
	Jobs: 'Read a job, and change it.',
	List: 'Find jobs, count them, and act on many.',
	Topics: 'Streams of events with many readers.',
	Agents: 'The tasks for agents: Model Context Protocol and Agent2Agent.',
	Workers: 'For external workers: reports about an attempt, with its token.',
	Service: 'The deployment itself.',
} as const;

export type Tag = keyof typeof TAGS;

/** Operations by method and path, as in `routes.ts`. */
export type Operations = Readonly<Record<string, Operation>>;
