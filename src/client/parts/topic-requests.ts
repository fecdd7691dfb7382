/** The requests of a topic: publishes events, reads them, and manages the subscriptions. */
import { defined } from '../../core/defined.ts';
import { isObject } from '../../core/http/json.ts';
import { discardBody } from '../body.ts';
import { ProblemError, ProtocolError } from '../errors.ts';
import { follow } from '../events/follow.ts';
import { topicFeed } from '../events/topic-feed.ts';
import { assertUsable } from '../events/transport-terms.ts';
import { transportsFor } from '../events/transports.ts';
import type { CallOptions } from '../job.ts';
import { isBytes, quotedString, randomKey } from '../submission.ts';
import {
	parseSubscription,
	parseSubscriptions,
	type SubscriptionDocument,
	type SubscriptionOptions,
} from '../subscription.ts';
import type { PublishOptions, TopicConnection, TopicEventsOptions } from '../topic.ts';
import { isGap, type TopicItem } from '../topic-event.ts';
import { unaborted } from '../wait.ts';
import { mediaTypeFor } from './submit-bytes.ts';
import { parseTopicPage } from './topic-page.ts';

export class TopicRequests {
	readonly #connection: TopicConnection;

	constructor(connection: TopicConnection) {
		this.#connection = connection;
	}

	async publish(data: unknown, options: PublishOptions): Promise<{ readonly seq: number }> {
		const { type, idempotencyKey = randomKey(), correlationId, signal = unaborted() } = options;
		const headers = {
			'coatcheck-event-type': type,
			'idempotency-key': quotedString(idempotencyKey),
			'x-correlation-id': correlationId,
			'content-type': isBytes(data) ? mediaTypeFor(data, options) : 'application/json',
		};
		const answer = await this.#connection.http.askJson({
			url: this.#url('events'),
			method: 'POST',
			headers: defined(headers),
			...defined({ body: isBytes(data) ? (data as BodyInit) : JSON.stringify(data) }),
			signal,
			isRepeatable: !(data instanceof ReadableStream),
		});
		if (!isObject(answer) || !Number.isSafeInteger(answer.seq))
			throw new ProtocolError('Expected the number of an event');
		return { seq: Number(answer.seq) };
	}

	async *follow(
		{ after: from = 'now', types, correlationId, onPlace }: TopicEventsOptions,
		signal: AbortSignal,
	): AsyncGenerator<TopicItem, void> {
		const { http, transports } = this.#connection;
		assertUsable(transports);
		const query = new URLSearchParams(defined({ types: types?.join(','), correlationId }));
		const url = this.#url(query.size > 0 ? `events?${query}` : 'events');
		// With a number, a reader that loses its connection before its first event misses nothing.
		const after = from === 'now' ? await this.lastSeq({ signal }) : from;
		const followed = {
			transports: transportsFor(topicFeed(http, url), transports, http),
			isOver: async () => false,
			// The reader's cursor may be one of a topic that was forgotten: then it begins again with a lower number.
			isRestart: isGap,
			onPlace,
		};
		yield* follow(followed, after, signal);
	}

	async lastSeq({ signal = unaborted() }: CallOptions): Promise<number> {
		return parseTopicPage(await this.#connection.http.askJson({ url: this.#url('events?after=now'), signal })).lastSeq;
	}

	async subscribe(
		name: string,
		options: SubscriptionOptions,
		{ signal = unaborted() }: CallOptions,
	): Promise<SubscriptionDocument> {
		const headers = { 'content-type': 'application/json' };
		const request = { url: this.#subscriptionUrl(name), method: 'PUT', headers, body: JSON.stringify(options), signal };
		return parseSubscription(await this.#connection.http.askJson(request));
	}

	async subscription(name: string, { signal = unaborted() }: CallOptions): Promise<SubscriptionDocument> {
		return parseSubscription(await this.#connection.http.askJson({ url: this.#subscriptionUrl(name), signal }));
	}

	async subscriptions({ signal = unaborted() }: CallOptions): Promise<readonly SubscriptionDocument[]> {
		return parseSubscriptions(await this.#connection.http.askJson({ url: this.#url('subscriptions'), signal }));
	}

	async unsubscribe(name: string, { signal = unaborted() }: CallOptions): Promise<boolean> {
		const request = { url: this.#subscriptionUrl(name), method: 'DELETE', signal };
		try {
			await this.#connection.http.ask(request, async (response) => discardBody(response));
			return true;
		} catch (error) {
			if (error instanceof ProblemError && error.status === 404) return false;
			throw error;
		}
	}

	#url(path: string): string {
		assertNoDots(this.#connection.url);
		return `${this.#connection.url}/${path}`;
	}

	#subscriptionUrl(name: string): string {
		const url = this.#url(`subscriptions/${encodeURIComponent(name)}`);
		assertNoDots(url);
		return url;
	}
}

/** URLs resolve these names: the request would go to another resource. @throws {TypeError} */
function assertNoDots(url: string): void {
	if (/\/\.\.?$/.test(url)) throw new TypeError('Expected a name other than "." and ".."');
}
