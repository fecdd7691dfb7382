/** The same jobs as Cloudflare Workflows: one instance and one step for each job, whose status is read by id. */
import { WorkflowEntrypoint, type WorkflowEvent, type WorkflowStep } from 'cloudflare:workers';

interface Work {
	readonly ms: number;
	/** The text that an echo returns. */
	readonly text?: string;
}

export class Job extends WorkflowEntrypoint<WorkflowEnv, Work> {
	override async run({ payload: { ms, text } }: WorkflowEvent<Work>, step: WorkflowStep): Promise<string> {
		return step.do('work', async () => {
			if (ms > 0) await scheduler.wait(ms);
			return text ?? JSON.stringify({ returnedAt: Date.now() });
		});
	}
}

interface WorkflowEnv {
	readonly JOB: Workflow<Work>;
}

export default {
	async fetch(request, env) {
		if (request.method === 'POST') {
			const isJson = request.headers.get('content-type') === 'application/json';
			const params = isJson ? ((await request.json()) as Work) : { ms: 0, text: await request.text() };
			const { id } = await env.JOB.create({ params });
			return Response.json({ id, status: 'pending' }, { status: 202 });
		}
		const [, , id = '', part] = new URL(request.url).pathname.split('/');
		const { status, output } = await (await env.JOB.get(id)).status();
		if (part === 'result') return new Response(String(output));
		return Response.json({ id, status: status === 'complete' ? 'succeeded' : status });
	},
} satisfies ExportedHandler<WorkflowEnv>;
