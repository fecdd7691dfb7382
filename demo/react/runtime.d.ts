/** The types of the tasks come with their source, which uses a function of Workers that browsers don't have. */
interface Scheduler {
	wait(delayMs: number, options?: { readonly signal?: AbortSignal }): Promise<void>;
}
