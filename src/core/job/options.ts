/** The options of a submission, in their wire format. The limits are in `limits.ts`. */
import * as z from 'zod';
import { once } from '../once.ts';
import { OPTION_LIMITS as LIMITS, WEBHOOK_URL_CHARS } from './limits.ts';
import { EVENT_TYPES, WEBHOOK_FORMATS } from './record.ts';

const wholeOption = ({ min, max }: { min: number; max: number }, unit: string) => {
	const error = ({ input }: z.core.$ZodRawIssue) =>
		`expected a whole number of ${unit} from ${min} to ${max}, got: ${shownInput(input)}`;
	return z.int({ error }).min(min, { error }).max(max, { error }).optional();
};

const choice = <const Value extends string>(...values: Value[]) =>
	z
		.enum(values, { error: ({ input }) => `expected one of ${values.join(', ')}, got: ${shownInput(input)}` })
		.optional();

const idempotencyKeyError = `expected 1 to ${LIMITS.idempotencyKeyChars.max} printable ASCII characters`;
const correlationIdError = `expected 1 to ${LIMITS.correlationIdChars.max} visible ASCII characters`;
const tagError = `expected tags of 1 to ${LIMITS.tagChars.max} characters`;

const flags = () => ({
	onPending: choice('ok', 'accepted'),
	onComplete: choice('redirect', 'inline', 'status'),
	onFailed: choice('status', 'error'),
});

/** The flags of a status URL's query. */
export const StatusFlags = once(() => z.object(flags()));
export type StatusFlags = z.infer<ReturnType<typeof StatusFlags>>;

const webhookUrlError = `expected a URL of at most ${WEBHOOK_URL_CHARS} characters`;

/** Checks only that the address is a URL. The deployment decides whether it may be called. */
export const webhookOption = () =>
	z.strictObject({
		url: z.url(webhookUrlError).max(WEBHOOK_URL_CHARS, webhookUrlError),
		events: z
			.array(choice(...EVENT_TYPES).unwrap())
			.min(1, 'expected at least one event')
			.max(EVENT_TYPES.length, `expected at most ${EVENT_TYPES.length} events`)
			.optional(),
		format: choice(...WEBHOOK_FORMATS),
	});

/** The `options` of the envelope. Options in headers are converted to the same form first. */
export const WireOptions = once(() =>
	z
		.strictObject({
			idempotencyKey: z
				.string(idempotencyKeyError)
				.regex(new RegExp(`^[\\x20-\\x7e]{1,${LIMITS.idempotencyKeyChars.max}}$`), idempotencyKeyError)
				.optional(),
			correlationId: z
				.string(correlationIdError)
				.regex(new RegExp(`^[\\x21-\\x7e]{1,${LIMITS.correlationIdChars.max}}$`), correlationIdError)
				.optional(),
			delaySeconds: wholeOption(LIMITS.delaySeconds, 'seconds'),
			startWithinSeconds: wholeOption(LIMITS.startWithinSeconds, 'seconds'),
			timeoutSeconds: wholeOption(LIMITS.timeoutSeconds, 'seconds'),
			maxAttempts: wholeOption(LIMITS.maxAttempts, 'attempts'),
			retainSeconds: wholeOption(LIMITS.retainSeconds, 'seconds'),
			tags: z
				.array(z.string(tagError).min(1, tagError).max(LIMITS.tagChars.max, tagError), 'expected a list of tags')
				.max(LIMITS.tags.max, `expected at most ${LIMITS.tags.max} tags`)
				.optional(),
			webhook: webhookOption().optional(),
			...flags(),
		})
		.refine(
			({ delaySeconds = 0, startWithinSeconds }) =>
				startWithinSeconds === undefined || startWithinSeconds >= delaySeconds,
			{
				path: ['startWithinSeconds'],
				error: 'expected at least delaySeconds: otherwise the job could never start in time',
			},
		),
);

export type WireOptions = z.infer<ReturnType<typeof WireOptions>>;

const MAX_SHOWN_CHARS = 40;

function shownInput(input: unknown): string {
	const text = JSON.stringify(input) ?? 'nothing';
	return text.length > MAX_SHOWN_CHARS ? `${text.slice(0, MAX_SHOWN_CHARS)}…` : text;
}
