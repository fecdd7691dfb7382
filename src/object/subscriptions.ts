/**
 * The subscriptions of one topic: each is one row. Queue consumers do the work; the object hands out events and leases, sends the
 * messages that call consumers, and sends lost ones again.
 */
import { defined } from '../core/defined.ts';
import { MS_PER_SECOND, WEBHOOK_WATCHDOG_MS } from '../core/job/limits.ts';
import { lineFilter } from '../core/topic/event.ts';
import { MAX_SUBSCRIPTIONS, SUBSCRIPTION_PAGE } from '../core/topic/limits.ts';
import {
	changedSubscription,
	type DeliveryReport,
	isLeased,
	messageCheckAt,
	newSubscription,
	reportedDelivery,
	type SubscriptionRecord,
	type SubscriptionTerms,
	waitBeforeTry,
	withLease,
	withMessageSentAgain,
	withoutLease,
} from '../core/topic/subscription.ts';
import type { ConsumerClaim, DeliveryWork, SubscriptionView, TopicSettings } from '../core/topic/topic-api.ts';
import type { Lanes } from '../queue/lanes.ts';
import { sendSubscriptionMessage } from '../queue/send.ts';
import type { TopicLog } from './topic-log.ts';

const PREFIX = 'subscription/';

interface SubscriptionsParts {
	/** The id of the topic's object. */
	readonly id: string;
	readonly storage: DurableObjectStorage;
	readonly lanes: Lanes;
	readonly log: TopicLog;
}

export class Subscriptions {
	readonly #parts: SubscriptionsParts;
	readonly #records: Map<string, SubscriptionRecord>;
	/** Subscriptions whose message is on its way, and when it was sent. Losing this costs a duplicate message. */
	readonly #called = new Map<string, number>();

	constructor(parts: SubscriptionsParts) {
		this.#parts = parts;
		const stored = parts.storage.kv.list<SubscriptionRecord>({ prefix: PREFIX });
		this.#records = new Map(Array.from(stored, ([, record]) => [record.name, record]));
	}

	get isEmpty(): boolean {
		return this.#records.size === 0;
	}

	list(): SubscriptionView[] {
		return [...this.#records.values()].map((record) => this.#view(record));
	}

	/** Creates or changes a subscription. @returns `undefined` when the topic has too many. */
	put(
		terms: SubscriptionTerms & { readonly from: 'start' | 'now' },
		now: number,
	): { readonly isNew: boolean; readonly view: SubscriptionView } | undefined {
		const { log } = this.#parts;
		const before = this.#records.get(terms.name);
		if (!before && this.#records.size >= MAX_SUBSCRIPTIONS) return undefined;
		const start = terms.from === 'start' ? log.first - 1 : log.last;
		const record = before ? changedSubscription(before, terms) : newSubscription(terms, start, now);
		this.#save(record);
		this.#called.delete(record.name);
		if (record.cursor < log.last) this.#callConsumer(record, now);
		return { isNew: before === undefined, view: this.#view(record) };
	}

	remove(name: string): boolean {
		this.#called.delete(name);
		this.#parts.storage.kv.delete(PREFIX + name);
		return this.#records.delete(name);
	}

	/** Calls consumers for new events. @returns whether it called any, so that the alarm must look after their messages. */
	announce(lines: readonly string[], now: number): boolean {
		let isAnyCalled = false;
		for (const record of this.#records.values()) {
			const isWanted = lines.some(lineFilter(defined({ types: record.types })));
			if (isWanted && this.#callConsumer(record, now)) isAnyCalled = true;
		}
		return isAnyCalled;
	}

	/** Writes one row when it gives a lease. */
	start(claim: ConsumerClaim, settings: TopicSettings, now: number): DeliveryWork {
		const record = this.#claimed(claim);
		if (!record || record.isDisabled) return { type: 'nothing' };
		this.#called.delete(record.name);
		if (isLeased(record, now) && record.lease?.consumer !== claim.consumer) return { type: 'nothing' };
		const waitMs = waitBeforeTry(record, now);
		if (waitMs > 0) return { type: 'wait', retryInMs: waitMs };
		return this.#next({ record, claim, settings, now });
	}

	/** Writes one row. */
	report(claim: ConsumerClaim, settings: TopicSettings, result: ConsumerResult): DeliveryWork {
		const { report, wantsMore, now } = result;
		const before = this.#claimed(claim);
		// The lease of a superseded consumer is over, or another consumer has one.
		if (!before || before.lease?.consumer !== claim.consumer) return this.#waitFor(before, now);
		const record = withoutLease(reportedDelivery(before, report, { now, random: Math.random() }));
		if (record.failed || record.isDisabled || !wantsMore) {
			this.#save(record);
			return this.#waitFor(record, now);
		}
		return this.#next({ record, claim, settings, now });
	}

	/** When the first message counts as lost; infinity if none is on its way. */
	nextCheckAt(now: number): number {
		const checks = [...this.#records.values()].map((record) => this.#checkAt(record));
		// A check that is due is the business of `sendLost`, which comes before.
		return Math.min(...checks.map((at) => (at <= now ? now + CALL_CHECK_MS : at)));
	}

	/** Sends lost messages again. Writes one row for each. */
	async sendLost(now: number): Promise<void> {
		const lost = [...this.#records.values()].filter((record) => this.#checkAt(record) <= now);
		for (const record of lost) this.#save(withMessageSentAgain(record, now));
		await Promise.all(lost.map((record) => this.#send(record)));
	}

	#checkAt(record: SubscriptionRecord): number {
		const calledAt = this.#called.get(record.name) ?? Number.NEGATIVE_INFINITY;
		return Math.max(messageCheckAt(record, this.#parts.log.last), calledAt + CALL_CHECK_MS);
	}

	#claimed({ name, createdAt }: ConsumerClaim): SubscriptionRecord | undefined {
		const record = this.#records.get(name);
		return record?.createdAt === createdAt ? record : undefined;
	}

	/** Leases the next events. Moves the cursor past events that nobody wants. */
	#next({ record, claim, settings, now }: NextRequest): DeliveryWork {
		const { target, types, cursor, failed } = record;
		const { events: limit, bytes } = SUBSCRIPTION_PAGE;
		const page = this.#parts.log.after(cursor, { events: limit, bytes, filter: defined({ types }) });
		if (page.events.length === 0 && !page.hasMore) {
			if (record.cursor !== page.lastSeq || record !== this.#records.get(record.name))
				this.#save(withoutLease({ ...record, cursor: page.lastSeq }));
			return { type: 'nothing' };
		}
		this.#save(withLease(record, claim.consumer, now));
		const attempt = (failed?.attempt ?? 0) + 1;
		const { events, lastSeq: upTo } = page;
		return { type: 'events', events, upTo, attempt, target, settings, taskSubscriptions: this.#countTasks() };
	}

	#countTasks(): number {
		return [...this.#records.values()].filter(({ target }) => target.type === 'task').length;
	}

	/** What the consumer does whose lease is over. */
	#waitFor(record: SubscriptionRecord | undefined, now: number): DeliveryWork {
		if (!record || record.isDisabled || isLeased(record, now) || record.cursor >= this.#parts.log.last)
			return { type: 'nothing' };
		this.#called.set(record.name, now);
		return { type: 'wait', retryInMs: waitBeforeTry(record, now) };
	}

	#callConsumer(record: SubscriptionRecord, now: number): boolean {
		const { name, isDisabled } = record;
		if (isDisabled || this.#called.has(name) || isLeased(record, now) || waitBeforeTry(record, now) > 0) return false;
		this.#called.set(name, now);
		void this.#send(record);
		return true;
	}

	#send({ name, createdAt }: SubscriptionRecord): Promise<void> {
		const { lanes, id } = this.#parts;
		return sendSubscriptionMessage(lanes, { v: 1, id, subscription: name, createdAt });
	}

	#view(record: SubscriptionRecord): SubscriptionView {
		return { record, lastSeq: this.#parts.log.last };
	}

	#save(record: SubscriptionRecord): void {
		this.#records.set(record.name, record);
		this.#parts.storage.kv.put(PREFIX + record.name, record);
	}
}

export interface ConsumerResult {
	readonly report: DeliveryReport;
	readonly wantsMore: boolean;
	readonly now: number;
}

interface NextRequest {
	readonly record: SubscriptionRecord;
	readonly claim: ConsumerClaim;
	readonly settings: TopicSettings;
	readonly now: number;
}

/** Time until the watchdog looks for the message of a new event. */
export const CALL_CHECK_MS = WEBHOOK_WATCHDOG_MS.first + MS_PER_SECOND;
