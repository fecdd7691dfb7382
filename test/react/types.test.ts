/** The types of the hooks. `tsc -p test` checks them; no hook is called. */
import { describe, expectTypeOf, it } from 'vitest';
import type { Hooks, useJob } from '../../src/react/index.ts';
import type { either, greet, shrink } from '../client/tasks.ts';

type Tasks = readonly [typeof greet, typeof shrink, typeof either];

/** A component, which nothing renders. */
type Component = (hooks: Hooks<Tasks>, alone: typeof useJob) => void;

describe('the hooks of a client', () => {
	it('know what a task takes and gives', () => {
		const component: Component = ({ useSubmit }) => {
			const state = useSubmit('greet');
			expectTypeOf(state.submit).parameter(0).toEqualTypeOf<{ name: string; times?: number | undefined }>();
			if (state.status === 'succeeded') expectTypeOf(state.result).toEqualTypeOf<{ greeting: string }>();
			// @ts-expect-error: there is no such task.
			useSubmit('great');
		};
		expectTypeOf(component).toBeFunction();
	});

	it('give a Blob for a Response', () => {
		const component: Component = ({ useJob }) => {
			const { status, result } = useJob<'shrink'>('https://nowhere.invalid');
			if (status === 'succeeded') expectTypeOf<Blob>().toExtend<typeof result>();
			if (status === 'succeeded') expectTypeOf<Response>().not.toExtend<typeof result>();
		};
		expectTypeOf(component).toBeFunction();
	});
});

describe('a state', () => {
	it('says by its status which members it has', () => {
		const component: Component = (_hooks, useJob) => {
			const state = useJob<{ pages: number }>('https://nowhere.invalid');
			if (state.status === 'loading') expectTypeOf(state.job).toEqualTypeOf<undefined>();
			if (state.status === 'running') expectTypeOf(state.job.percentComplete).toEqualTypeOf<number | undefined>();
			if (state.status === 'failed') expectTypeOf(state.error.code).toEqualTypeOf<string>();
			if (state.status === 'succeeded') expectTypeOf(state.result).toEqualTypeOf<{ pages: number }>();
			if (state.error) expectTypeOf(state.error).toExtend<Error>();
		};
		expectTypeOf(component).toBeFunction();
	});
});
