/** The client's inferred types. `tsc -p test` checks them; no request is sent. */
import { describe, expectTypeOf, it } from 'vitest';
import * as z from 'zod';
import { type Bytes, createClient, type Job, type SubmittedJob, type TaskCatalogue } from '../../src/client/index.ts';
import type { tasks as deployed } from '../../src/tasks/index.ts';
import { defineTask, type JsonValue } from '../../src/work/task.ts';
import type { either, greet, shrink } from './tasks.ts';

type List = readonly [typeof greet, typeof shrink, typeof either];
type Module = { greet: typeof greet; shrink: typeof shrink; either: typeof either };

/** A client that can't send requests. */
function clientOf<Tasks extends TaskCatalogue = TaskCatalogue>() {
	return createClient<Tasks>({ baseUrl: 'https://nowhere.invalid', fetch: () => new Promise(() => {}) });
}

const bytes = new Blob();

describe('a client of a list of tasks', () => {
	const client = clientOf<List>();

	it('knows the names', () => {
		expectTypeOf(client.submit<'greet'>)
			.parameter(0)
			.toEqualTypeOf<'greet'>();
		// @ts-expect-error: there is no such task.
		client.submit('great', { name: 'Ada' });
		// @ts-expect-error
		client.job<'great'>;
	});

	it('knows what a task takes, with what its schema fills in left out', () => {
		client.submit('greet', { name: 'Ada' });
		client.submit('greet', { name: 'Ada', times: 2 }, { tags: ['x'], signal: AbortSignal.abort() });
		// @ts-expect-error: a name is a string.
		client.submit('greet', { name: 1 });
		// @ts-expect-error: it takes no bytes.
		client.submit('greet', bytes);
		// @ts-expect-error: it takes no parameters.
		client.submit('greet', { name: 'Ada' }, { parameters: { width: 1 } });
	});

	it('knows the parameters, and that some must be there', () => {
		client.submit('shrink', bytes, { parameters: { width: 320 } });
		client.submit('shrink', bytes.stream(), { parameters: { width: 320, fit: 'contain' } });
		// @ts-expect-error: the width is missing.
		client.submit('shrink', bytes);
		// @ts-expect-error: the width is missing.
		client.submit('shrink', bytes, { parameters: { fit: 'contain' } });
		// @ts-expect-error: a width is a number.
		client.submit('shrink', bytes, { parameters: { width: 'wide' } });
		// @ts-expect-error: it takes no JSON.
		client.submit('shrink', { url: 'https://a' }, { parameters: { width: 320 } });
	});

	it('knows what comes out', () => {
		expectTypeOf(client.submit('greet', { name: 'Ada' })).toEqualTypeOf<SubmittedJob<{ greeting: string }>>();
		expectTypeOf(client.submit('shrink', bytes, { parameters: { width: 1 } }).result).returns.resolves.toEqualTypeOf<
			Response | JsonValue | undefined
		>();
		expectTypeOf(client.submit('either', { url: 'https://a' }).result).returns.resolves.toEqualTypeOf<
			number | undefined
		>();
		expectTypeOf(client.submit('either', bytes).response).returns.resolves.toEqualTypeOf<Response>();
		expectTypeOf(client.job<'greet'>).returns.toEqualTypeOf<Job<{ greeting: string }>>();
	});
});

describe('a client of a module of tasks', () => {
	it('knows the same', () => {
		const client = clientOf<Module>();
		expectTypeOf(client.submit('greet', { name: 'Ada' })).toEqualTypeOf<SubmittedJob<{ greeting: string }>>();
		// @ts-expect-error: a name is a string.
		client.submit('greet', { name: 1 });
	});

	it('goes by its keys where the tasks have forgotten their names', () => {
		const forgetful = { greet: { name: 'greet' as string, input: z.object({ n: z.number() }), run: () => 1 } };
		const client = clientOf<typeof forgetful>();
		expectTypeOf(client.submit('greet', { n: 1 })).toEqualTypeOf<SubmittedJob<number>>();
		// @ts-expect-error: there is no such task.
		client.submit('sleep', { n: 1 });
	});
});

describe('a client of what defineTask returns', () => {
	it('knows what each takes', () => {
		const sum = defineTask({
			name: 'sum',
			description: 'Adds.',
			input: z.array(z.number()),
			run: (numbers) => ({ sum: numbers.length }),
		});
		const client = clientOf<[typeof sum]>();
		client.submit('sum', [1, 2]);
		// @ts-expect-error: these are no numbers.
		client.submit('sum', ['one']);
	});
});

describe('a client of tasks that nobody described', () => {
	it('takes what it is given', () => {
		const client = clientOf();
		client.submit('whatever', { any: 'JSON' });
		client.submit('whatever', bytes, { parameters: { width: 1, fit: 'cover', header: true } });
		expectTypeOf(client.submit('whatever', 1)).toEqualTypeOf<SubmittedJob<unknown>>();
		expectTypeOf(client.job).returns.toEqualTypeOf<Job<unknown>>();
		expectTypeOf<Bytes>().toExtend<Parameters<typeof client.submit>[1]>();
	});
});

describe('a client of this deployment', () => {
	it('can be made', () => {
		const client = clientOf<typeof deployed>();
		client.submit('sleep', { seconds: 1 });
		client.submit('profile-csv', new Blob([], { type: 'text/csv' }));
	});
});
