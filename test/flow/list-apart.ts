/** Keeps the rows of the list of jobs apart from those that a test counts. The list has a budget of its own (`budget-list.test.ts`). */
import { runInDurableObject } from 'cloudflare:test';
import { env } from 'cloudflare:workers';

/** Whether the list is writing. Its calls are synchronous as far as they write. */
export const list = { isWriting: false };

export async function markListWrites(): Promise<void> {
	await runInDurableObject(env.TOPICS.get(env.TOPICS.newUniqueId()), (object) => {
		const topicObject = Object.getPrototypeOf(object) as object;
		for (const method of ['tell', 'alarm']) markWrites(topicObject, method);
	});
}

function markWrites(prototype: object, method: string): void {
	const original = Reflect.get(prototype, method) as (...args: unknown[]) => unknown;
	Reflect.set(prototype, method, function (this: unknown, ...args: unknown[]) {
		list.isWriting = true;
		const result = original.apply(this, args);
		list.isWriting = false;
		return result;
	});
}
