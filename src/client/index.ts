/** `coatcheck/client`: runs in browsers, Node (20 and newer) and Workers, and requires only `fetch`. */

export type { FinalStateVia } from '../core/operation/step.ts';
export type { JsonValue } from '../work/task.ts';
export type {
	ActionDocument,
	ActionFilter,
	ActionName,
	ActionReference,
	Actions,
	ActionWaitOptions,
} from './actions.ts';
export { type Client, type ClientOptions, createClient, type SubmitArguments } from './client.ts';
export type { JobEvent, StatusDocument } from './document.ts';
export {
	AnswerTimeoutError,
	CoatcheckError,
	type Fault,
	ForeignAnswerError,
	JobCanceledError,
	JobFailedError,
	JobGoneError,
	OperationCanceledError,
	OperationFailedError,
	ProblemError,
	ProtocolError,
	TransportError,
} from './errors.ts';
export type { Socket, SocketClass } from './events/by-websocket.ts';
export type { EventStream } from './events/event-stream.ts';
export type { TransportName } from './events/transport-terms.ts';
export type { Fetch } from './http.ts';
export type {
	Bytes,
	InputOf,
	ParametersOf,
	ResultOf,
	TaskCatalogue,
	TaskName,
	TaskNamed,
	TaskTypes,
} from './inference.ts';
export type { CallOptions, EventsOptions, Job } from './job.ts';
export type { JobCounts, JobListing, JobsClient, JobsFilter, JobsPage, ListedJob } from './jobs.ts';
export { type FollowedOperation, followOperation, type OperationOptions } from './operation/operation.ts';
export type { OperationInit } from './operation/request.ts';
export type { OperationState } from './operation/state.ts';
export type { PageOptions } from './pages.ts';
export type { SubmitOptions } from './submission.ts';
export type { SubmittedJob } from './submitted-job.ts';
export type {
	FailedDelivery,
	GivenUpEvent,
	SubscriptionDocument,
	SubscriptionOptions,
	TaskSubscriptionOptions,
	WebhookSubscriptionOptions,
} from './subscription.ts';
export type { TaskDescription } from './task-description.ts';
export type { PublishOptions, Topic, TopicEventsOptions } from './topic.ts';
export { isGap, type TopicEvent, type TopicGap, type TopicItem } from './topic-event.ts';
export type { ListedTopic } from './topics.ts';
export type { WaitBounds } from './waiting.ts';
