import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { describe, expect, it } from 'vitest';
import { withOwnObjects } from '../../src/rpc/own-objects.ts';

const namespace = (name: string) => ({ name, idFromName: () => undefined });
const exported = {
	JobObject: namespace('exported'),
	TopicObject: namespace('exported'),
	// A class without storage in the configuration.
	TenantObject: class {},
};

describe('the namespaces of a Worker’s own objects', () => {
	it('are its bindings, if it has any', () => {
		const bound = { JOBS: namespace('bound'), TOPICS: namespace('bound') };
		expect(withOwnObjects(bound, { exports: exported })).toMatchObject(bound);
	});

	it('are the exported classes with storage where a binding is missing', () => {
		const bound = { JOBS: namespace('bound'), OTHER: 1 };
		expect(withOwnObjects(bound, { exports: exported })).toEqual({ ...bound, TOPICS: exported.TopicObject });
	});

	it('are completed once, so that settings are parsed once', () => {
		const bindings = {};
		const first = withOwnObjects(bindings, { exports: exported });
		expect(withOwnObjects(bindings, { exports: exported })).toBe(first);
	});

	it.each([undefined, {}])('stay as they are where the platform offers no exports: %j', (ctx) => {
		const bindings = { JOBS: namespace('bound') };
		expect(withOwnObjects(bindings, ctx)).toBe(bindings);
	});

	it('lead to the objects of the bindings', () => {
		const { JOBS } = withOwnObjects({}, createExecutionContext());
		expect(JOBS.idFromName('one').toString()).toBe(env.JOBS.idFromName('one').toString());
	});
});
