/** The tasks of the deployment. They change only with a deploy, so they are read once. */
import { signal } from '@preact/signals';
import { readJson } from './api.ts';

export interface Task {
	readonly name: string;
	readonly description: string;
	readonly input: { readonly schema?: object; readonly mediaTypes?: readonly string[]; readonly maxBytes?: number };
	readonly parameters: object;
	readonly lane: string;
	readonly maxAttempts: number;
	readonly timeoutSeconds: number;
}

export const tasks = signal<readonly Task[] | undefined>(undefined);

export async function loadTasks(): Promise<void> {
	tasks.value ??= (await readJson<{ readonly tasks: readonly Task[] }>('/v1/tasks')).tasks;
}
