/** A filter as clients send it: in a query, and as JSON in an action. */
import * as z from 'zod';
import { defined } from '../defined.ts';
import type { Phase } from '../job/document.ts';
import { OBJECT_ID } from '../job/id.ts';
import { OPTION_LIMITS } from '../job/limits.ts';
import { STATUSES } from '../job/record.ts';
import { once } from '../once.ts';
import { FILTER_CHARS } from './limits.ts';
import type { JobFilter } from './list-api.ts';

export const PHASES = [
	'queued',
	'delayed',
	'running',
	'waiting',
	'retrying',
	'canceling',
	'succeeded',
	'failed',
	'canceled',
	'timed-out',
	'expired',
	'dead-lettered',
] as const satisfies Phase[];

type Got = z.core.$ZodRawIssue;

const choiceFrom = <const Value extends string>(values: readonly Value[]) =>
	z.enum(values, { error: ({ input }: Got) => `expected one of ${values.join(', ')}, got: ${shownFilter(input)}` });

const text = (what: string, pattern: RegExp) => {
	const wanted = { error: ({ input }: Got) => `expected ${what}, got: ${shownFilter(input)}` };
	return z.string(wanted).regex(pattern, wanted);
};

const time = (error = ({ input }: Got) => `expected a time such as 2026-01-31T09:00:00Z, got: ${shownFilter(input)}`) =>
	z.iso.datetime({ offset: true, error }).transform((given) => Date.parse(given));

const oneTag = () =>
	text(`a tag of 1 to ${OPTION_LIMITS.tagChars.max} characters`, charactersUpTo(OPTION_LIMITS.tagChars.max));
const name = (what: string) => text(`${what} of 1 to ${FILTER_CHARS} characters`, charactersUpTo(FILTER_CHARS));
const keyChars = OPTION_LIMITS.idempotencyKeyChars.max;

export const WireFilter = once(() =>
	z.strictObject({
		status: choiceFrom(STATUSES).optional(),
		phase: choiceFrom(PHASES).optional(),
		task: name('the name of a task').optional(),
		tag: z
			.preprocess(
				(given) => (typeof given === 'string' ? [given] : given),
				z
					.array(oneTag(), 'expected a tag, or a list of tags')
					.max(OPTION_LIMITS.tags.max, `expected at most ${OPTION_LIMITS.tags.max} tags`),
			)
			.optional(),
		correlationId: name('a correlation id').optional(),
		errorCode: name('an error code').optional(),
		createdAfter: time().optional(),
		createdBefore: time().optional(),
		id: text('64 hexadecimal digits', OBJECT_ID).optional(),
		idempotencyKey: text(
			`1 to ${keyChars} printable ASCII characters`,
			new RegExp(`^[\\x20-\\x7e]{1,${keyChars}}$`),
		).optional(),
	}),
);

export type WireFilter = z.infer<ReturnType<typeof WireFilter>>;

/** The members that the list answers. `id` and `idempotencyKey` are answered by the jobs. */
export function jobFilter({ id: _id, idempotencyKey: _key, tag: tags = [], ...members }: WireFilter): JobFilter {
	return defined({ ...members, tags: tags.length > 0 ? tags : undefined });
}

function charactersUpTo(max: number): RegExp {
	return new RegExp(`^[^]{1,${max}}$`);
}

const MAX_SHOWN_CHARS = 40;

function shownFilter(input: unknown): string {
	const shown = typeof input === 'string' ? input : (JSON.stringify(input) ?? 'nothing');
	return shown.length > MAX_SHOWN_CHARS ? `${shown.slice(0, MAX_SHOWN_CHARS)}…` : shown;
}
