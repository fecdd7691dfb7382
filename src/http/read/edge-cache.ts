/**
 * Caches succeeded jobs in the data center of the request, so that a popular link needs no call to the job's object. A
 * succeeded job changes only by deletion. Expiry is part of the entry, but a purge clears only one data center's cache. So the
 * cache is off by default; `EDGE_CACHE_SECONDS` limits how long other data centers may serve a purged job.
 *
 * An entry belongs to one job, not to a later job with the same idempotency key. Only this deployment can compute its name.
 * It contains no links or tokens: each reader has its own, and is authenticated before the lookup.
 */
import { Buffer } from 'node:buffer';
import { createHmac } from 'node:crypto';
import { defined } from '../../core/defined.ts';
import { INLINE_BODY_BYTES, MS_PER_SECOND } from '../../core/job/limits.ts';
import type { FoundJob, JobView } from '../../core/job/object-api.ts';
import type { StoredReply } from '../../core/job/record.ts';
import { logError } from '../../log.ts';
import { linkOrigin, type RequestContext } from '../request-context.ts';

/** A stored reply with its bytes in base64, for JSON. */
interface Reply extends Omit<StoredReply, 'body'> {
	readonly body?: { readonly mediaType: string; readonly sizeBytes: number; readonly base64: string };
}

/** Entries outlive deploys: change this name when the entry's form changes. */
const ENTRY = 'finished job, 1';

/** Replaces a purged job's entry, so that a concurrent reader can't store the job again. */
interface Purged {
	readonly isPurged: true;
}

interface Entry {
	readonly view: JobView;
	/** Absent until a client has requested the result. */
	readonly reply?: Reply;
}

/** The job from this data center's cache; `undefined` when the job's object must be called. */
export async function recall(context: RequestContext, id: string, withOutcome: boolean): Promise<FoundJob | undefined> {
	const key = cacheKey(context, { id, createdAt: context.principal.token?.createdAt });
	if (key === undefined) return undefined;
	try {
		const entry = await entryAt(key);
		if (!entry || 'isPurged' in entry || secondsLeft(entry.view) < 1 || (withOutcome && !entry.reply)) return undefined;
		const { view, reply } = entry;
		if (!withOutcome || !reply) return { found: 'job', view };
		return { found: 'job', view, outcome: { kind: 'reply', reply: decodeReply(reply) } };
	} catch (error) {
		logError('edge cache not read', { job: id, error });
		return undefined;
	}
}

/** Caches a job that can no longer change. Resolves even when caching fails. */
export async function remember(context: RequestContext, { view, outcome }: FoundJob): Promise<void> {
	const { facts } = view;
	const seconds = Math.min(context.config.edgeCacheSeconds, secondsLeft(view));
	const key = cacheKey(context, { id: facts.id, createdAt: context.principal.token?.createdAt });
	if (key === undefined || seconds < 1 || !isSettled(view)) return;
	const reply = outcome?.kind === 'reply' ? cacheableReply(outcome.reply) : undefined;
	if (outcome && !reply) return;
	try {
		const before = await entryAt(key);
		if (before && 'isPurged' in before) return;
		await putEntry(key, defined({ view, reply }), seconds);
	} catch (error) {
		logError('edge cache not written', { job: facts.id, error });
	}
}

/** Removes a purged job from this data center's cache. */
export async function forget(context: RequestContext, id: string, createdAt: number | undefined): Promise<void> {
	// Readers with a link have no tenant, except with a link of version 0.1.0.
	for (const tenant of [context.principal.tenant, NO_TENANT]) {
		const key = cacheKey(context, { id, createdAt, tenant });
		if (key === undefined) return;
		const purged = putEntry(key, { isPurged: true }, context.config.edgeCacheSeconds);
		await purged.catch((error: unknown) => logError('edge cache not cleared', { job: id, error }));
	}
}

/** No tenant has an empty name. */
const NO_TENANT = '';

async function entryAt(key: string): Promise<Entry | Purged | undefined> {
	return (await caches.default.match(key))?.json<Entry | Purged>();
}

function putEntry(key: string, entry: Entry | Purged, seconds: number): Promise<void> {
	return caches.default.put(key, Response.json(entry, { headers: { 'cache-control': `max-age=${seconds}` } }));
}

interface CachedJob {
	readonly id: string;
	readonly createdAt: number | undefined;
	/** Default: the reader's. */
	readonly tenant?: string | undefined;
}

/**
 * The entry's URL in the cache. Other Workers of this host may share the cache, so the URL must not be guessable. `undefined`
 * when the cache is off, and without a job token, because an id alone does not distinguish several jobs under one idempotency
 * key.
 */
function cacheKey(
	context: RequestContext,
	{ id, createdAt, tenant = context.principal.tenant }: CachedJob,
): string | undefined {
	const { config } = context;
	const [secret] = config.signingKeys.values();
	if (config.edgeCacheSeconds === 0 || createdAt === undefined || !secret) return undefined;
	const name = JSON.stringify([ENTRY, tenant ?? NO_TENANT, id, createdAt]);
	return `${linkOrigin(context)}/v1/jobs/${id}/${createHmac('sha256', secret).update(name).digest('hex')}`;
}

/** The job can't be retried, and all its webhook deliveries are finished. */
function isSettled({ facts }: JobView): boolean {
	const isTold = facts.webhook?.deliveries.every(({ status }) => status !== 'pending') ?? true;
	return facts.status === 'succeeded' && isTold;
}

function secondsLeft({ facts: { expiresAt = '' } }: JobView): number {
	return Math.floor((Date.parse(expiresAt) - Date.now()) / MS_PER_SECOND) || 0;
}

/** `undefined` for a large body, whose bytes are stored in rows of the object. */
function cacheableReply({ body, ...head }: StoredReply): Reply | undefined {
	if (!body) return head;
	if (!('inline' in body) || body.sizeBytes > INLINE_BODY_BYTES) return undefined;
	const { mediaType, sizeBytes, inline } = body;
	return { ...head, body: { mediaType, sizeBytes, base64: Buffer.from(inline).toString('base64') } };
}

function decodeReply({ body, ...head }: Reply): StoredReply {
	if (!body) return head;
	const { base64, ...rest } = body;
	return { ...head, body: { ...rest, inline: new Uint8Array(Buffer.from(base64, 'base64')) } };
}
