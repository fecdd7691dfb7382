/** Signatures of Standard Webhooks: HMAC-SHA256 over id, time and body. */
const ALGORITHM = { name: 'HMAC', hash: 'SHA-256' };
const PREFIX = 'whsec_';
const VERSION = 'v1,';

export interface SignedContent {
	readonly id: string;
	/** The header's text. */
	readonly timestamp: string;
	/** As it was received: bytes that are no UTF-8 would be others after decoding. */
	readonly body: Uint8Array;
}

/** Whether one of the signatures belongs to the content and one of the secrets. Takes equally long wherever two signatures differ. */
export async function isSigned(content: SignedContent, header: string, secrets: readonly string[]): Promise<boolean> {
	const signed = signedBytes(content);
	const signatures = header
		.split(' ')
		.filter((signature) => signature.startsWith(VERSION))
		.flatMap((signature) => toBytes(signature.slice(VERSION.length)) ?? []);
	for (const secret of secrets) {
		const key = await importKey(secret);
		for (const signature of signatures)
			if (await crypto.subtle.verify(ALGORITHM.name, key, signature, signed)) return true;
	}
	return false;
}

function signedBytes({ id, timestamp, body }: SignedContent): Uint8Array<ArrayBuffer> {
	const head = new TextEncoder().encode(`${id}.${timestamp}.`);
	const bytes = new Uint8Array(head.byteLength + body.byteLength);
	bytes.set(head);
	bytes.set(body, head.byteLength);
	return bytes;
}

/** @throws {TypeError} for a secret of another form. The message doesn't contain it. */
async function importKey(secret: string): Promise<CryptoKey> {
	const bytes = secret.startsWith(PREFIX) ? toBytes(secret.slice(PREFIX.length)) : undefined;
	if (!bytes || bytes.byteLength === 0) throw new TypeError('secret: expected "whsec_" and base64');
	return crypto.subtle.importKey('raw', bytes, ALGORITHM, false, ['verify']);
}

function toBytes(text: string): Uint8Array<ArrayBuffer> | undefined {
	try {
		return Uint8Array.from(atob(text), (char) => char.charCodeAt(0));
	} catch {
		return undefined;
	}
}
