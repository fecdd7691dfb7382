/** Verifies a webhook by Standard Webhooks: its signature, and that it was sent just now. */
import { type DeliveredEvent, readEvent } from './event.ts';
import { DeliveryRejected } from './rejected.ts';
import { isSigned } from './signature.ts';

const MS_PER_SECOND = 1_000;
const DEFAULT_TOLERANCE_SECONDS = 300;

type HeaderValue = string | readonly string[] | null | undefined;

/** The headers of any framework's request. */
export type ReceivedHeaders =
	/** `Headers`, of the platform or of a package, and whatever else has its `get`. */
	| { readonly get: (name: string) => HeaderValue }
	/** Node's `request.headers`. Case makes no difference. */
	| Readonly<Record<string, HeaderValue>>
	/** Names and values in turn: Node's `request.rawHeaders`. */
	| readonly string[]
	/** Pairs of a name and a value: `[...headers]`. */
	| readonly (readonly [name: string, value: string])[];

/** A request of another kind than the platform's, such as Node's: its headers, and its body as it was received. */
export interface Received {
	readonly headers: ReceivedHeaders;
	readonly body: string | Uint8Array;
}

export interface VerifyOptions {
	/** `whsec_…`, as in the deployment's `WEBHOOK_SECRETS`. Several while it is replaced. */
	readonly secret: string | readonly string[];
	/** Maximum age of a message, and maximum difference between the clocks, in seconds. Default: 300. */
	readonly toleranceSeconds?: number;
	/** The time, in milliseconds since the epoch. Default: now. */
	readonly now?: number;
}

/**
 * Verifies a delivery and returns its event. It reads the request's body.
 *
 * The same event comes again after a failed or slow response, with the same `id`.
 *
 * @throws {DeliveryRejected} with the reason as `code`, and the `status` to answer with.
 * @throws {TypeError} for a wrong secret, and for a body that was already read or parsed.
 * @example
 * const event = await verifyDelivery(request, { secret: env.WEBHOOK_SECRET });
 * if (isJobEvent(event) && event.type === 'job.succeeded') console.log(event.data.resourceLocation);
 */
export async function verifyDelivery(
	request: Request | Received,
	{ secret, toleranceSeconds = DEFAULT_TOLERANCE_SECONDS, now = Date.now() }: VerifyOptions,
): Promise<DeliveredEvent> {
	const header = headerReader(request.headers);
	const id = requireHeader(header, 'webhook-id');
	const timestamp = requireHeader(header, 'webhook-timestamp');
	const signature = requireHeader(header, 'webhook-signature');
	assertFresh(timestamp, toleranceSeconds, now);
	const bytes = await receivedBytes(request);
	const secrets = typeof secret === 'string' ? [secret] : secret;
	if (!(await isSigned({ id, timestamp, body: bytes }, signature, secrets)))
		throw new DeliveryRejected(
			'WrongSignature',
			'Expected a signature of this message by the secret: the secret is another one, or the body was changed on its way',
		);
	return readEvent({ id, header, bytes });
}

type HeaderReader = (name: string) => string | undefined;

function headerReader(headers: ReceivedHeaders): HeaderReader {
	if (hasGet(headers)) return (name) => joinValues([headers.get(name)]);
	const pairs = headerPairs(headers);
	return (name) => joinValues(pairs.filter(([other]) => other.toLowerCase() === name).map(([, value]) => value));
}

/** A record may have a header of this name. */
function hasGet(headers: ReceivedHeaders): headers is Extract<ReceivedHeaders, { get: unknown }> {
	return 'get' in headers && typeof headers.get === 'function';
}

function headerPairs(headers: Exclude<ReceivedHeaders, { get: unknown }>): (readonly [string, HeaderValue])[] {
	if (!Array.isArray(headers)) return Object.entries(headers as Readonly<Record<string, HeaderValue>>);
	const listed: readonly (string | readonly [string, string])[] = headers;
	return listed.flatMap((entry, at) => {
		if (typeof entry !== 'string') return [entry];
		return at % 2 === 0 ? [[entry, listed[at + 1] as HeaderValue] as const] : [];
	});
}

/** One value of a header that came several times (RFC 9110 §5.3). */
function joinValues(values: readonly HeaderValue[]): string | undefined {
	const present = values.flatMap((value) => value ?? []);
	return present.length > 0 ? present.join(', ') : undefined;
}

function requireHeader(header: HeaderReader, name: string): string {
	const value = header(name);
	if (value) return value;
	throw new DeliveryRejected('MissingHeader', `Expected the header ${name}: the message is no signed webhook`);
}

function assertFresh(timestamp: string, toleranceSeconds: number, now: number): void {
	if (!/^\d{1,15}$/.test(timestamp))
		throw new DeliveryRejected('InvalidHeader', 'webhook-timestamp: expected seconds since the epoch');
	const ageSeconds = Math.floor(now / MS_PER_SECOND) - Number(timestamp);
	const [code, side] = ageSeconds > 0 ? (['TooOld', 'ago'] as const) : (['TooNew', 'in the future'] as const);
	if (Math.abs(ageSeconds) <= toleranceSeconds) return;
	const got = `it was sent ${Math.abs(ageSeconds)} s ${side}`;
	throw new DeliveryRejected(code, `Expected a message of the last ${toleranceSeconds} s, but ${got}`);
}

async function receivedBytes(request: Request | Received): Promise<Uint8Array> {
	const { body } = request;
	if (typeof body === 'string') return new TextEncoder().encode(body);
	if (body instanceof Uint8Array) return body;
	if ('bodyUsed' in request && !request.bodyUsed) return new Uint8Array(await request.arrayBuffer());
	throw new TypeError('body: expected text or bytes as they were received, before anything reads or parses them');
}
