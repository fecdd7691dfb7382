/** Calls to the objects of topics. */
import type { Granted } from '../core/quota/tenant-api.ts';
import type { AllowanceRequest, TopicQuotas, TopicShortage } from '../core/topic/allowance.ts';
import type { Publication, Published, TopicObjectApi } from '../core/topic/topic-api.ts';
import { isIdIn } from './object-id.ts';
import { retryTransient } from './retry-transient.ts';
import type { Tenants } from './tenants.ts';

/** Where a topic's share of its tenant's quota comes from. */
export interface TopicPayer {
	readonly tenants: Tenants;
	/** Left out: the topics of the deployment have no quotas. */
	readonly quotas: TopicQuotas | undefined;
}

type NoAllowance = Extract<Published, { reason: 'no-allowance' }>;

/** The tenant's quota has no room. */
export interface NoTopicRoom {
	readonly published: false;
	readonly reason: 'no-room';
	readonly shortage?: TopicShortage;
}

interface TopicShareRequest {
	readonly tenant: string;
	readonly topic: string;
	readonly request: AllowanceRequest;
}

/** Asks the tenant's object for a topic's share of the quota. */
export async function grantAllowance(
	{ tenants, quotas }: TopicPayer,
	{ tenant, topic, request }: TopicShareRequest,
): Promise<Granted> {
	if (!quotas) return { allowance: request.wanted };
	return tenants.call(tenant, (object) => object.grantAllowance({ ...request, topic, quotas }));
}

export class Topics {
	readonly #namespace: DurableObjectNamespace;

	constructor(namespace: DurableObjectNamespace) {
		this.#namespace = namespace;
	}

	/** The id of a tenant's topic, always the same. */
	idFor(tenant: string, topic: string): string {
		return this.#namespace.idFromName(JSON.stringify([tenant, topic])).toString();
	}

	/** Calls a topic's object, and repeats a failed call. Only for idempotent calls. */
	call<T>(id: string, call: (topic: TopicObjectApi) => Promise<T>): Promise<T> {
		return retryTransient(() => call(this.#stub(id) as unknown as TopicObjectApi));
	}

	/** Publishes an event, once, even if the call has to be repeated. */
	publish(id: string, publication: Publication): Promise<Published> {
		let isRepeat = false;
		return this.call(id, (topic) => {
			const call = isRepeat ? { ...publication, isRepeat: true as const } : publication;
			isRepeat = true;
			return topic.publish(call);
		});
	}

	/** Publishes an event within the tenant's quota. Asks for a larger share of it when the topic needs one. */
	async publishWithin(
		id: string,
		publication: Omit<Publication, 'id' | 'allowance' | 'isUnlimited'>,
		payer: TopicPayer,
	): Promise<Exclude<Published, NoAllowance> | NoTopicRoom> {
		const call = { ...publication, id: crypto.randomUUID(), ...(payer.quotas ? {} : { isUnlimited: true as const }) };
		const published = await this.publish(id, call);
		if (published.published || published.reason === 'key-reused') return published;
		const { tenant, topic } = publication.settings;
		const granted = await grantAllowance(payer, { tenant, topic, request: published.request });
		if ('shortage' in granted) return { published: false, reason: 'no-room', ...granted };
		const again = await this.publish(id, { ...call, ...granted });
		if (again.published || again.reason === 'key-reused') return again;
		// Other events have taken the share meanwhile.
		return { published: false, reason: 'no-room' };
	}

	/** Opens a reader's socket. The response has `webSocket`, or an error status. */
	connect(id: string, query: URLSearchParams): Promise<Response> {
		return retryTransient(() =>
			this.#stub(id).fetch(`http://topic/watch?${query}`, { headers: { upgrade: 'websocket' } }),
		);
	}

	/** Whether `id` is a topic's id. */
	isId(id: string): boolean {
		return isIdIn(this.#namespace, id);
	}

	#stub(id: string): DurableObjectStub {
		return this.#namespace.get(this.#namespace.idFromString(id));
	}
}
