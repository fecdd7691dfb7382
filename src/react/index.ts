'use client';

/** `coatcheck/react`: hooks for React 18 and newer, over the client. */

export {
	createHooks,
	type Hooks,
	type JobCommands,
	type UsedJob,
	type UsedSubmit,
	type UsedTopic,
	type UseJobOptions,
	useJob,
} from './hooks.ts';
export type { JobState } from './job-state.ts';
export type { Shown, WatchedJob } from './job-watch.ts';
export type { TopicState, UseTopicOptions } from './topic-watch.ts';
