/** The requests that the probes send. */

export interface Document {
	readonly id: string;
	readonly status: string;
	readonly attempt: number;
	readonly links: { readonly operation: string; readonly result: string; readonly events: string };
}

export const sleepMs = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/** A client of one version. */
export class Client {
	readonly origin: string;

	constructor(origin: string) {
		this.origin = origin;
	}

	fetch(path: string, init: RequestInit = {}): Promise<Response> {
		return fetch(new URL(path, this.origin), { redirect: 'manual', ...init });
	}

	post(path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
		const all = { 'content-type': 'application/json', ...headers };
		return this.fetch(path, { method: 'POST', headers: all, body: JSON.stringify(body) });
	}

	async submit(task: string, input: unknown, headers: Record<string, string> = {}): Promise<Document> {
		const response = await this.post(`/v1/tasks/${task}/jobs`, input, headers);
		if (response.status !== 202) throw new Error(`${task}: ${response.status} ${await response.text()}`);
		return (await response.json()) as Document;
	}

	async status({ links }: Pick<Document, 'links'>): Promise<Document> {
		return (await (await this.fetch(links.operation)).json()) as Document;
	}

	/** @returns the job when it has ended, or its last state after `withinMs`. */
	async ended(job: Pick<Document, 'links'>, withinMs: number): Promise<Document> {
		for (const untilMs = Date.now() + withinMs; ; await sleepMs(100)) {
			const now = await this.status(job);
			if (!['pending', 'running'].includes(now.status) || Date.now() > untilMs) return now;
		}
	}

	/** Makes the objects fail, and resets the counts. */
	async fault(methods: readonly string[], awayMs: number, hangs = false): Promise<void> {
		await this.post('/faults', { methods, awayMs, hangs });
	}

	async counts(): Promise<Record<string, number>> {
		return (await (await this.fetch('/faults')).json()) as Record<string, number>;
	}
}
