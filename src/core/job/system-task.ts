/** Jobs that the service submits to itself. The name of a task never has a dot, so no client can submit one. Pure. */

/** The `task` of a bulk action. */
export const ACTION_TASK = 'coatcheck.action';

/** Such jobs are in no list, and no client may run one again. */
export function isSystemTask(task: string): boolean {
	return task.startsWith('coatcheck.');
}

/** The name of the object that counts a job. A tenant's name has no space, so that actions are counted apart. */
export function quotaAccount({ tenant, task }: { readonly tenant: string; readonly task: string }): string {
	return isSystemTask(task) ? `actions ${tenant}` : tenant;
}
