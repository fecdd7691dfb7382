/** Any task can be described: each reference leads to a schema, and each operation has a name of its own. */
import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { openApiDocument } from '../../src/http/description/openapi.ts';
import { createRegistry } from '../../src/work/registry.ts';
import { type AnyTask, defineTask } from '../../src/work/task.ts';
import { type ApiDescription, Description } from './described.ts';

function describeWith(...tasks: AnyTask[]): ApiDescription {
	const deployment = { tasks: createRegistry(tasks), maxInputBytes: 1_000, isOpen: false };
	return JSON.parse(JSON.stringify(openApiDocument(deployment))) as ApiDescription;
}

/** The references of a document that lead nowhere. */
function danglingReferences(document: ApiDescription): string[] {
	const references = [...JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)].map(([, path = '']) => path);
	expect(references.length).toBeGreaterThan(100);
	return references.filter((path) => {
		const keys = path.split('/').map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
		return (
			keys.reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document) ===
			undefined
		);
	});
}

function task(name: string, more: Partial<AnyTask>): AnyTask {
	return defineTask({ name, description: 'For a test.', input: z.unknown(), run: () => 'done', ...more });
}

interface Tree {
	readonly name: string;
	readonly children: readonly Tree[];
}
const Tree: z.ZodType<Tree> = z.lazy(() => z.strictObject({ name: z.string(), children: z.array(Tree) }));
/** A schema with the name of one of the service's own. */
const Named = z.strictObject({ at: z.string() }).meta({ id: 'StatusDocument' });

describe('the description of a task', () => {
	it('keeps a schema that contains itself, and one that has the name of another', () => {
		const document = describeWith(task('tree', { input: Tree }), task('named', { input: z.array(Named) }));
		expect(danglingReferences(document)).toEqual([]);
		const api = new Description(document);
		expect(api.schemaFaults('TreeInput', { name: 'a', children: [{ name: 'b', children: [] }] })).toEqual([]);
		expect(api.schemaFaults('TreeInput', { name: 'a', children: [{ name: 1, children: [] }] })).not.toEqual([]);
		expect(api.schemaFaults('NamedInput', [{ at: 'now' }])).toEqual([]);
		expect(api.schemaFaults('StatusDocument', { at: 'now' })).not.toEqual([]);
	});

	it('keeps parameters that are required, have defaults, or refer to each other', () => {
		const shared = z.enum(['a', 'b']).meta({ id: 'Letter' });
		const parameters = z.object({ from: shared, to: shared, times: z.coerce.number().default(1) });
		const document = describeWith(task('bytes', { input: { mediaTypes: ['image/*'] }, parameters }));
		expect(danglingReferences(document)).toEqual([]);
		const operation = document.paths['/v1/tasks/bytes/jobs']?.post;
		const query = operation?.parameters.filter((parameter) => parameter.in === 'query');
		expect(query?.map(({ name, required = false }) => [name, required])).toEqual([
			['from', true],
			['to', true],
			['times', false],
		]);
		expect(Object.keys(operation?.requestBody?.content ?? {})).toEqual(['image/*']);
	});

	it('gives tasks whose names differ in dashes only different names', () => {
		const document = describeWith(task('a-b', {}), task('a--b', {}), task('ab', {}));
		const names = new Description(document).operations;
		expect(names.filter((name) => /^submitAb|^submitAB/.test(name))).toHaveLength(3);
		expect(new Set(names).size).toBe(names.length);
		expect(danglingReferences(document)).toEqual([]);
	});

	it.each([
		[['job', 'batch', 'to-task']],
		[['a-b', 'a-b2', 'a--b']],
		[['a--b', 'a-b', 'a-b2', 'a-b3', 'ab', 'ab2', 'ab-2']],
		[['job', 'job2', 'job-2', 'jo-b']],
	])('has a name that no other operation has, whatever the tasks are called: %j', (names) => {
		const document = describeWith(...names.map((name) => task(name, {})));
		const { operations } = new Description(document);
		const lower = operations.map((name) => name.toLowerCase());
		expect(lower.filter((name, at) => lower.indexOf(name) !== at)).toEqual([]);
		for (const name of names) {
			const { operationId = '' } = document.paths[`/v1/tasks/${name}/jobs`]?.post as { operationId?: string };
			const schema = `${operationId.replace(/^submit/, '')}Submission`;
			expect(document.components.schemas).toHaveProperty([schema, 'properties', 'task', 'const'], name);
		}
		expect(danglingReferences(document)).toEqual([]);
	});

	it('keeps its plain name when the names of others have numbers', () => {
		const document = describeWith(task('a--b', {}), task('a-b', {}), task('a-b2', {}));
		const idFor = (name: string) => document.paths[`/v1/tasks/${name}/jobs`]?.post;
		expect(idFor('a--b')).toMatchObject({ operationId: 'submitAB' });
		expect(idFor('a-b')).toMatchObject({ operationId: 'submitAB3' });
		expect(idFor('a-b2')).toMatchObject({ operationId: 'submitAB2' });
	});

	it('accepts what JSON Schema cannot say', () => {
		const input = z.object({ at: z.date(), big: z.bigint(), text: z.string().transform((text) => text.length) });
		const document = describeWith(task('odd', { input }));
		expect(danglingReferences(document)).toEqual([]);
		expect(new Description(document).schemaFaults('OddInput', { at: 1, big: 2, text: 'x' })).toEqual([]);
	});

	it('is complete without a task', () => {
		const document = describeWith();
		expect(danglingReferences(document)).toEqual([]);
		expect(Object.keys(document.paths)).toContain('/v1/jobs');
	});
});
