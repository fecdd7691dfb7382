/**
 * The tokens in links. Redirects drop `Authorization`, and browsers can't set headers on `EventSource` and `WebSocket`.
 * Every link therefore carries a token with one right: to read one job, to cancel it, or to report on one of its
 * attempts.
 *
 * A token is 34 characters: 25 bytes in base64url (RFC 4648 §5). A `complete` token has 6 more bytes. The URL already
 * names the job, so the token doesn't, and the token doesn't reveal the tenant. All numbers are big-endian:
 *
 * | bytes | content |
 * |---|---|
 * | 1 | version (2 bits), right (2 bits), salt (4 bits) |
 * | 5 | creation time of the job or batch, in milliseconds since {@link EPOCH_MS} |
 * | 3 | expiry, in minutes since {@link EPOCH_MS} |
 * | 6 | `complete` only: the attempt's epoch (4) and number (2) |
 * | 16 | HMAC-SHA-256 over the id and the bytes above, cut to half (RFC 2104 §5) |
 *
 * Version 0.1.0 issued JWTs, which stay valid until they expire: see `legacy.ts`.
 */
import { Buffer } from 'node:buffer';
import { createHmac, timingSafeEqual } from 'node:crypto';
import type { SigningKeys } from '../config/secrets.ts';
import { defined } from '../core/defined.ts';
import { MS_PER_MINUTE } from '../core/job/limits.ts';
import type { Fence } from '../core/job/record.ts';

/** The right that a link grants. */
export const TOKEN_RIGHTS = ['read', 'cancel', 'complete'] as const;
export type TokenRight = (typeof TOKEN_RIGHTS)[number];

/** The scopes of a request with a token. */
export const TOKEN_SCOPES = TOKEN_RIGHTS;
export type TokenScope = TokenRight;

/** The input of a signature: the job, the right and the expiry. */
export interface TokenGrant {
	/** The id of the job or of the batch. No id is both. */
	readonly job: string;
	/**
	 * The creation time of the job or batch, in milliseconds since the epoch: a later job of the same idempotency key has
	 * the same id.
	 */
	readonly createdAt: number;
	readonly right: TokenRight;
	/** In milliseconds since the epoch. The token stores whole minutes, rounded up. */
	readonly expiresAt: number;
	/** `complete` only: the attempt of the external worker. */
	readonly fence?: Fence;
}

/** The content of a token with a valid signature. */
export interface TokenClaims {
	readonly job: string;
	readonly scopes: ReadonlySet<TokenScope>;
	readonly expiresAt: number;
	/** Some tokens of version 0.1.0 leave it out. */
	readonly createdAt?: number;
	readonly fence?: Fence;
	/** Tokens of version 0.1.0 may have several rights: see `scopes`. */
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
/** Prefix of the signed text, so that a signature for another use of the same keys is not valid here. */
const PURPOSE = 'coatcheck link';

/** The response to a cancel has the status document, so its right includes reading. */
const SCOPES: Record<TokenRight, ReadonlySet<TokenScope>> = {
	read: new Set(['read']),
	cancel: new Set(['read', 'cancel']),
	complete: new Set(['complete']),
};

/** @returns `undefined` if the deployment has no signing key: then clients must authenticate to use its links. */
export function signToken(keys: SigningKeys, grant: TokenGrant): string | undefined {
	const [key] = keys.values();
	if (!key) return undefined;
	let token = '';
	for (let salt = 0; salt < SALTS && !isRedactable(token); salt++) {
		const head = encodeHead(grant, salt);
		token = Buffer.concat([head, computeMac(key, grant.job, head)]).toString('base64url');
	}
	return token;
}

/**
 * The runtime redacts long words in the URLs that it passes to logs and tail consumers, if they have at least two
 * uppercase letters, two lowercase letters and two digits (workerd, `trace.c++`). The salt ensures that every token is
 * such a word.
 */
function isRedactable(token: string): boolean {
	return [/[A-Z].*[A-Z]/, /[a-z].*[a-z]/, /[0-9].*[0-9]/].every((pattern) => pattern.test(token));
}

function encodeHead({ createdAt, right, expiresAt, fence }: TokenGrant, salt: number): Buffer {
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

function computeMac(key: Uint8Array, job: string, head: Uint8Array): Buffer {
	return createHmac('sha256', key).update(`${PURPOSE}\0${job}\0`).update(head).digest().subarray(0, BYTES.mac);
}

/** Maximum number of tokens whose signature an isolate remembers. A poller sends the same one each time. */
const MAX_VERIFIED = 1_000;
/** The claims of tokens with a valid signature, for each set of keys, by job and token. Expiry is checked each time. */
const verified = new WeakMap<SigningKeys, Map<string, TokenClaims>>();

/**
 * @param job the id in the request's URL.
 * @returns `undefined` for a token that is forged, malformed, expired, or for another job. The caller doesn't learn
 * which.
 */
export async function verifyToken(keys: SigningKeys, token: string, job: string): Promise<TokenClaims | undefined> {
	const signed = verified.get(keys) ?? new Map<string, TokenClaims>();
	const name = `${job} ${token}`;
	const claims = signed.get(name) ?? (await verifySignature(keys, token, job));
	if (!claims || claims.expiresAt <= Date.now()) return undefined;
	// A token of version 0.1.0 is valid in the URL of any job, and names its own.
	if (claims.job !== job) return claims;
	if (!signed.has(name) && signed.size >= MAX_VERIFIED) signed.clear();
	verified.set(keys, signed.set(name, claims));
	return claims;
}

async function verifySignature(keys: SigningKeys, token: string, job: string): Promise<TokenClaims | undefined> {
	return token.includes('.') ? verifyJwt(keys, token) : verifyMac(keys, token, job);
}

function verifyMac(keys: SigningKeys, token: string, job: string): TokenClaims | undefined {
	const bytes = Buffer.from(token, 'base64url');
	const grant = grantIn(bytes, job);
	// The decoder ignores characters outside base64url, so only the canonical spelling is valid.
	if (!grant || bytes.toString('base64url') !== token) return undefined;
	const head = bytes.subarray(0, -BYTES.mac);
	const mac = bytes.subarray(-BYTES.mac);
	if (![...keys.values()].some((key) => timingSafeEqual(computeMac(key, job, head), mac))) return undefined;
	const { right, createdAt, expiresAt, fence } = grant;
	return defined({ job, right, scopes: SCOPES[right], createdAt, expiresAt, fence });
}

/** Only the tokens of version 0.1.0 contain dots. Their library is loaded for the first of them. */
async function verifyJwt(keys: SigningKeys, token: string): Promise<TokenClaims | undefined> {
	const { verifyLegacyToken } = await import('./legacy.ts');
	return verifyLegacyToken(keys, token);
}

/** Parses a token without checking its signature. */
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
