/**
 * A topic's share of its tenant's quota. The tenant's object hands shares out, so that the sum over all topics never exceeds the
 * quota, and a topic asks for a larger share only when it has used its own up.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { ALLOWANCE } from './limits.ts';

/** What a topic may keep. */
export interface Allowance {
	readonly bytes: number;
	readonly events: number;
}

/** What the topics of a tenant may keep together. */
export type TopicQuotas = Allowance;

/** The quotas' names on the wire. */
export type TopicQuotaName = 'topic-bytes' | 'topic-events';

export interface TopicShortage {
	readonly quota: TopicQuotaName;
	readonly used: number;
	readonly limit: number;
}

export const NO_ALLOWANCE: Allowance = { bytes: 0, events: 0 };

/** A topic's request for a larger share: at least what it needs now, or more, so that it need not ask again soon. */
export interface AllowanceRequest {
	readonly needed: Allowance;
	readonly wanted: Allowance;
}

/**
 * The share that a topic must ask for before it keeps `needed`; `undefined` if its own is enough.
 *
 * @param maxBytes the topic never keeps more.
 */
export function nextAllowance(own: Allowance, needed: Allowance, maxBytes: number): AllowanceRequest | undefined {
	if (needed.bytes <= own.bytes && needed.events <= own.events) return undefined;
	const wanted = {
		bytes: Math.min(maxBytes, grownShare(own.bytes, needed.bytes, ALLOWANCE.bytes)),
		events: grownShare(own.events, needed.events, ALLOWANCE.events),
	};
	return { needed, wanted };
}

function grownShare(own: number, needed: number, first: number): number {
	return needed <= own ? own : Math.max(needed, first, own * 2);
}

/** A smaller share for a topic that uses a small part of its own; `undefined` if it keeps its share. */
export function shrunkAllowance(own: Allowance, used: Allowance): Allowance | undefined {
	const bytes = shrunkShare(own.bytes, used.bytes, ALLOWANCE.bytes);
	const events = shrunkShare(own.events, used.events, ALLOWANCE.events);
	return bytes === own.bytes && events === own.events ? undefined : { bytes, events };
}

function shrunkShare(own: number, used: number, first: number): number {
	if (used === 0) return 0;
	return used * 4 > own ? own : Math.max(used * 2, first);
}

/** The quota that the shares of a tenant's topics would exceed. @param others the shares of the other topics. */
export function topicShortage(others: Allowance, wanted: Allowance, quotas: TopicQuotas): TopicShortage | undefined {
	if (others.bytes + wanted.bytes > quotas.bytes)
		return { quota: 'topic-bytes', used: others.bytes, limit: quotas.bytes };
	if (others.events + wanted.events > quotas.events)
		return { quota: 'topic-events', used: others.events, limit: quotas.events };
	return undefined;
}
