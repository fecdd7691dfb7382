/**
 * The tokens in links. Redirects drop `Authorization`, and browsers can't set headers on `EventSource` and `WebSocket`, so
 * every link carries its own right: to read one job, to cancel it, or to report one attempt at it.
 *
 * A token is 34 characters: 25 bytes in base64url (RFC 4648 §5). The URL already names the job, so the token doesn't, and
 * it says nothing about the tenant. All numbers are big-endian:
 *
 * | bytes | content |
 * |---|---|
 * | 1 | version (2 bits), right (2 bits), salt (4 bits) |
 * | 5 | birth of the job or batch, in milliseconds since {@link EPOCH_MS} |
 * | 3 | expiry, in minutes since {@link EPOCH_MS} |
 * | 6 | `complete` only: the attempt's epoch (4) and number (2) |
 * | 16 | HMAC-SHA-256 over the id and the bytes above, cut to half (RFC 2104 §5) |
 *
 * Version 0.1.0 gave out JWTs. They keep what they promised until they expire: see `legacy.ts`.
 */
import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SigningKeys } from '../config.ts';
import { MS_PER_MINUTE } from '../job/limits.ts';
import type { Fence } from '../job/record.ts';
import { isLegacyToken, verifyLegacyToken } from './legacy.ts';

/** What a link may be for. */
export const TOKEN_RIGHTS = ['read', 'cancel', 'complete'] as const;
export type TokenRight = (typeof TOKEN_RIGHTS)[number];

/** The scopes that a request with a token may have. */
export const TOKEN_SCOPES = TOKEN_RIGHTS;
export type TokenScope = TokenRight;

/** What a token is signed for. */
export interface TokenGrant {
	/** The id of the job, or of the batch: no id is both. */
	readonly job: string;
	/** The job's or the batch's own, in milliseconds since the epoch: a later job of the same idempotency key has the same id. */
	readonly createdAt: number;
	readonly right: TokenRight;
	/** In milliseconds since the epoch. The token says whole minutes, rounded up. */
	readonly expiresAt: number;
	/** `complete` only: the attempt that an external worker was given. */
	readonly fence?: Fence;
}

/** The content of a token whose signature is good. */
export interface TokenClaims {
	readonly job: string;
	readonly scopes: ReadonlySet<TokenScope>;
	readonly expiresAt: number;
	/** Some tokens of version 0.1.0 leave it out. */
	readonly createdAt?: number;
	readonly fence?: Fence;
	/** Tokens of version 0.1.0 may have several: see `scopes`. */
	readonly right?: TokenRight;
	/** Only tokens of version 0.1.0 name the tenant; those with `cancel` may also purge. */
	readonly legacy?: { readonly tenant: string };
}

/** 2025-01-01: five bytes of milliseconds from here last until 2059, three bytes of minutes until 2056. */
const EPOCH_MS = Date.UTC(2025, 0, 1);
const VERSION = 1;
const BYTES = { birth: 5, expiry: 3, epoch: 4, attempt: 2, mac: 16 } as const;
const HEAD_BYTES = 1 + BYTES.birth + BYTES.expiry;
const FENCE_BYTES = BYTES.epoch + BYTES.attempt;
const SALTS = 16;
/** Keeps these signatures apart from any other use of the same keys. */
const PURPOSE = 'coatcheck link';

/** A cancel answers with the document, so its right includes reading. */
const SCOPES: Record<TokenRight, ReadonlySet<TokenScope>> = {
	read: new Set(['read']),
	cancel: new Set(['read', 'cancel']),
	complete: new Set(['complete']),
};

/** @returns `undefined` when the deployment has no signing key: then its links are for callers who may come in anyway. */
export function signToken(keys: SigningKeys, grant: TokenGrant): string | undefined {
	const [key] = keys.values();
	if (!key) return undefined;
	let token = '';
	for (let salt = 0; salt < SALTS && !isRedactable(token); salt++) {
		const head = headOf(grant, salt);
		token = Buffer.concat([head, macOf(key, grant.job, head)]).toString('base64url');
	}
	return token;
}

/**
 * The runtime blots out long words in the URLs that it hands to logs and tail consumers, when they have at least two
 * capitals, two small letters and two digits (workerd, `trace.c++`). The salt makes every token such a word.
 */
function isRedactable(token: string): boolean {
	return [/[A-Z].*[A-Z]/, /[a-z].*[a-z]/, /[0-9].*[0-9]/].every((pattern) => pattern.test(token));
}

function headOf({ createdAt, right, expiresAt, fence }: TokenGrant, salt: number): Buffer {
	const isForAttempt = right === 'complete' && fence !== undefined;
	const head = Buffer.alloc(HEAD_BYTES + (isForAttempt ? FENCE_BYTES : 0));
	head.writeUInt8((VERSION << 6) | (TOKEN_RIGHTS.indexOf(right) << 4) | salt, 0);
	head.writeUIntBE(createdAt - EPOCH_MS, 1, BYTES.birth);
	head.writeUIntBE(Math.ceil((expiresAt - EPOCH_MS) / MS_PER_MINUTE), 1 + BYTES.birth, BYTES.expiry);
	if (isForAttempt) {
		head.writeUIntBE(fence.epoch, HEAD_BYTES, BYTES.epoch);
		head.writeUIntBE(fence.attempt, HEAD_BYTES + BYTES.epoch, BYTES.attempt);
	}
	return head;
}

function macOf(key: Uint8Array, job: string, head: Uint8Array): Buffer {
	return createHmac('sha256', key).update(`${PURPOSE}\0${job}\0`).update(head).digest().subarray(0, BYTES.mac);
}

/**
 * @param job the id in the request's URL.
 * @returns `undefined` for a token that is forged, malformed, expired, or for another job: the caller is not told which.
 */
export async function verifyToken(keys: SigningKeys, token: string, job: string): Promise<TokenClaims | undefined> {
	if (isLegacyToken(token)) return verifyLegacyToken(keys, token);
	const bytes = Buffer.from(token, 'base64url');
	const grant = grantIn(bytes, job);
	// The decoder passes over what is no base64url: only the one spelling is good.
	if (!grant || bytes.toString('base64url') !== token || grant.expiresAt <= Date.now()) return undefined;
	const head = bytes.subarray(0, -BYTES.mac);
	const mac = bytes.subarray(-BYTES.mac);
	if (![...keys.values()].some((key) => timingSafeEqual(macOf(key, job, head), mac))) return undefined;
	const { right, createdAt, expiresAt, fence } = grant;
	return { job, right, scopes: SCOPES[right], createdAt, expiresAt, ...(fence && { fence }) };
}

/** Reads a token without its signature. */
function grantIn(bytes: Buffer, job: string): TokenGrant | undefined {
	const headBytes = bytes.byteLength - BYTES.mac;
	if (headBytes !== HEAD_BYTES && headBytes !== HEAD_BYTES + FENCE_BYTES) return undefined;
	const first = bytes.readUInt8(0);
	const right = TOKEN_RIGHTS[(first >> 4) & 3];
	const isForAttempt = headBytes > HEAD_BYTES;
	if (first >> 6 !== VERSION || right === undefined || isForAttempt !== (right === 'complete')) return undefined;
	const createdAt = EPOCH_MS + bytes.readUIntBE(1, BYTES.birth);
	const expiresAt = EPOCH_MS + bytes.readUIntBE(1 + BYTES.birth, BYTES.expiry) * MS_PER_MINUTE;
	if (!isForAttempt) return { job, right, createdAt, expiresAt };
	const epoch = bytes.readUIntBE(HEAD_BYTES, BYTES.epoch);
	const attempt = bytes.readUIntBE(HEAD_BYTES + BYTES.epoch, BYTES.attempt);
	return { job, right, createdAt, expiresAt, fence: { epoch, attempt, createdAt } };
}
