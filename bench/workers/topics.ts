/** A deployment with the task of `notify.ts`, and topics that can be filled at once: what `bench/topics` reads would take minutes to publish. */
import { TopicObject as Topic } from '../../src/object/topic-object.ts';
import worker from './notify.ts';

export { BatchObject } from '../../src/object/batch-object.ts';
export { JobObject } from '../../src/object/job-object.ts';
export { TenantObject } from '../../src/object/tenant-object.ts';
export { UpstreamGate } from '../../src/object/upstream-gate.ts';

const RETENTION = { retainSeconds: 86_400, retainBytes: 64 * 1_024 * 1_024 };

export class TopicObject extends Topic {
	/** Publishes events, one by one, as clients do. */
	async fill(topic: string, from: number, count: number): Promise<void> {
		const settings = { tenant: 'default', topic, retention: RETENTION };
		for (let n = from; n < from + count; n++) {
			const event = { type: 'made', correlationId: `c-${n}`, data: JSON.stringify({ n, name: 'x'.repeat(60) }) };
			await this.publish({ id: String(n), event, settings, isUnlimited: true });
		}
	}
}

export default {
	...worker,
	async fetch(request, env, ctx) {
		const { pathname, searchParams } = new URL(request.url);
		if (pathname !== '/fill') return worker.fetch(request, env, ctx);
		const topic = searchParams.get('topic') ?? '';
		const id = env.TOPICS.idFromName(JSON.stringify(['default', topic]));
		const object = env.TOPICS.get(id) as unknown as TopicObject;
		await object.fill(topic, Number(searchParams.get('from')), Number(searchParams.get('count')));
		return new Response();
	},
} satisfies ExportedHandler<Env>;
