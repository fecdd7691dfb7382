/** Replaces the module `cloudflare:workers` outside workerd. */
export class DurableObject {
	readonly ctx: unknown;
	readonly env: unknown;

	constructor(ctx: unknown, env: unknown) {
		this.ctx = ctx;
		this.env = env;
	}
}
