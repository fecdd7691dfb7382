import { describe, expect, it } from 'vitest';
import * as z from 'zod';
import { createRegistry } from '../../src/work/registry.ts';
import { defineTask } from '../../src/work/task.ts';

const FACTS = { name: 'quick', description: 'Works at once.', input: z.unknown(), run: () => 'done' };

describe('a task of lane "now"', () => {
	it('has 10 s for an attempt if it names no time', () => {
		const task = createRegistry([defineTask({ ...FACTS, lane: 'now' })]).get('quick');
		expect(task).toMatchObject({ lane: 'now', timeoutSeconds: 10 });
	});

	it('may have 20 s, and no more', () => {
		const withTimeout = (timeoutSeconds: number) =>
			createRegistry([defineTask({ ...FACTS, lane: 'now', timeoutSeconds })]);
		expect(withTimeout(20).get('quick')).toMatchObject({ timeoutSeconds: 20 });
		expect(() => withTimeout(21)).toThrow(
			new TypeError('Task "quick": timeoutSeconds must be a whole number from 1 to 20 on lane "now", got: 21'),
		);
	});
});
