/**
 * Jobs that succeeded, kept in the cache of the data center that was asked: a link that is opened again and again, from near
 * each reader, is answered without a call to the job's object. Nothing about such a job changes any more but that it goes: by
 * time, which the entry knows, or by a purge, which reaches the cache of one data center only. So it is off unless a
 * deployment says for how long another one may go on.
 *
 * An entry is of one job, and not of the next one under its idempotency key; what it is called only this deployment can say.
 * It has no link and no token in it: every reader has their own, and has shown it before anybody looks here.
 */
import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { INLINE_BODY_BYTES, MS_PER_SECOND } from '../job/limits.ts';
import type { FoundJob, JobView } from '../job/object-api.ts';
import type { StoredReply } from '../job/record.ts';
import { logError } from '../log.ts';
import { type Exchange, originOf } from './exchange.ts';

/** A stored reply whose bytes JSON can hold. */
interface Reply extends Omit<StoredReply, 'body'> {
	readonly body?: { readonly mediaType: string; readonly sizeBytes: number; readonly base64: string };
}

/** Entries outlive deploys: one whose form is another has another name. */
const ENTRY = 'finished job, 1';

/** In the place of a purged job, so that whoever read it just before doesn't put it back. */
interface Purged {
	readonly isPurged: true;
}

interface Entry {
	readonly view: JobView;
	/** Left out when nobody has asked for it yet. */
	readonly reply?: Reply;
}

/** What the cache of this data center has of a job; `undefined` when the job's object is to be asked. */
export async function recall(exchange: Exchange, id: string, withOutcome: boolean): Promise<FoundJob | undefined> {
	const key = keyOf(exchange, id, exchange.principal.token?.createdAt);
	if (key === undefined) return undefined;
	try {
		const entry = await entryAt(key);
		if (!entry || 'isPurged' in entry || secondsLeft(entry.view) < 1 || (withOutcome && !entry.reply)) return undefined;
		const { view, reply } = entry;
		return { found: 'job', view, ...(withOutcome && reply && { outcome: { kind: 'reply', reply: storedOf(reply) } }) };
	} catch (error) {
		logError('edge cache not read', { job: id, error });
		return undefined;
	}
}

/** Keeps a job that can't change any more. Resolves when it is kept, or can't be. */
export async function remember(exchange: Exchange, { view, outcome }: FoundJob): Promise<void> {
	const { facts } = view;
	const seconds = Math.min(exchange.config.edgeCacheSeconds, secondsLeft(view));
	const key = keyOf(exchange, facts.id, exchange.principal.token?.createdAt);
	if (key === undefined || seconds < 1 || !isSettled(view)) return;
	const reply = outcome?.kind === 'reply' ? replyOf(outcome.reply) : undefined;
	if (outcome && !reply) return;
	try {
		const before = await entryAt(key);
		if (before && 'isPurged' in before) return;
		await put(key, { view, ...(reply && { reply }) }, seconds);
	} catch (error) {
		logError('edge cache not written', { job: facts.id, error });
	}
}

/** Drops a purged job from the cache of this data center. */
export async function forget(exchange: Exchange, id: string, createdAt: number | undefined): Promise<void> {
	// Readers with a link have no tenant, those with a link of version 0.1.0 have.
	for (const tenant of [exchange.principal.tenant, NO_TENANT]) {
		const key = keyOf(exchange, id, createdAt, tenant);
		if (key === undefined) return;
		const purged = put(key, { isPurged: true }, exchange.config.edgeCacheSeconds);
		await purged.catch((error: unknown) => logError('edge cache not cleared', { job: id, error }));
	}
}

/** No tenant has an empty name. */
const NO_TENANT = '';

async function entryAt(key: string): Promise<Entry | Purged | undefined> {
	return (await caches.default.match(key))?.json<Entry | Purged>();
}

function put(key: string, entry: Entry | Purged, seconds: number): Promise<void> {
	return caches.default.put(key, Response.json(entry, { headers: { 'cache-control': `max-age=${seconds}` } }));
}

/**
 * Under which address an entry is: a cache may be shared with what else is at this host, so it must not be one that can be made
 * up. Whoever comes without a job token may mean any job that ever had this id.
 */
function keyOf(
	exchange: Exchange,
	id: string,
	createdAt: number | undefined,
	tenant = exchange.principal.tenant,
): string | undefined {
	const { config } = exchange;
	const [secret] = config.signingKeys.values();
	if (config.edgeCacheSeconds === 0 || createdAt === undefined || !secret) return undefined;
	const name = JSON.stringify([ENTRY, tenant ?? NO_TENANT, id, createdAt]);
	return `${originOf(exchange)}/v1/jobs/${id}/${createHmac('sha256', secret).update(name).digest('hex')}`;
}

/** Nobody can have it run again, and everybody who was to be told was. */
function isSettled({ facts }: JobView): boolean {
	const isTold = facts.webhook?.deliveries.every(({ status }) => status !== 'pending') ?? true;
	return facts.status === 'succeeded' && isTold;
}

function secondsLeft({ facts: { expiresAt = '' } }: JobView): number {
	return Math.floor((Date.parse(expiresAt) - Date.now()) / MS_PER_SECOND) || 0;
}

/** `undefined` for one whose bytes are in rows of the object: they go with it. */
function replyOf({ body, ...head }: StoredReply): Reply | undefined {
	if (!body) return head;
	if (!('inline' in body) || body.sizeBytes > INLINE_BODY_BYTES) return undefined;
	const { mediaType, sizeBytes, inline } = body;
	return { ...head, body: { mediaType, sizeBytes, base64: Buffer.from(inline).toString('base64') } };
}

function storedOf({ body, ...head }: Reply): StoredReply {
	if (!body) return head;
	const { base64, ...rest } = body;
	return { ...head, body: { ...rest, inline: new Uint8Array(Buffer.from(base64, 'base64')) } };
}
