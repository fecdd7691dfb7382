/** What the Worker imports from `cloudflare:workers`, for a process that is none. */
export class DurableObject {
	readonly ctx: unknown;
	readonly env: unknown;

	constructor(ctx: unknown, env: unknown) {
		this.ctx = ctx;
		this.env = env;
	}
}
