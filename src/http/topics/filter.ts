/** The query of a topic's reader. */
import { defined } from '../../core/defined.ts';
import { OPTION_LIMITS } from '../../core/job/limits.ts';
import type { EventFilter } from '../../core/topic/event.ts';
import { MAX_FILTER_TYPES, PAGE_EVENTS } from '../../core/topic/limits.ts';
import { EVENT_TYPE, eventTypeError } from '../../core/topic/names.ts';
import { type Fault, shown } from '../problem.ts';
import { invalidRequest } from '../submit/options.ts';

const CORRELATION_ID = new RegExp(`^[\\x21-\\x7e]{1,${OPTION_LIMITS.correlationIdChars.max}}$`);

/** `?types=a,b&correlationId=c`. @throws {Problem} `InvalidRequest` naming the parameter. */
export function readEventFilter({ searchParams }: URL): EventFilter {
	const types = searchParams.get('types')?.split(',');
	const correlationId = searchParams.get('correlationId');
	const wrong = types?.find((type) => !EVENT_TYPE.test(type));
	const faults: Fault[] = [];
	if (wrong !== undefined)
		faults.push({
			parameter: 'types',
			message: `expected types separated by commas: ${eventTypeError}, got: ${shown(wrong)}`,
		});
	if (types && types.length > MAX_FILTER_TYPES)
		faults.push({ parameter: 'types', message: `expected at most ${MAX_FILTER_TYPES} types, got: ${types.length}` });
	if (correlationId !== null && !CORRELATION_ID.test(correlationId)) {
		const message = `expected 1 to ${OPTION_LIMITS.correlationIdChars.max} visible ASCII characters, got: ${shown(correlationId)}`;
		faults.push({ parameter: 'correlationId', message });
	}
	if (faults.length > 0) throw invalidRequest('The filter is not valid', faults);
	return defined({ types, correlationId: correlationId ?? undefined });
}

/** `?after=now`: the events that come from now on. A stream and a socket begin there without a cursor, too. */
export function isFromNow({ searchParams }: URL): boolean {
	return searchParams.get('after') === 'now';
}

/** `?limit=100`. @throws {Problem} `InvalidRequest` */
export function readLimit({ searchParams }: URL): number {
	const text = searchParams.get('limit');
	if (text === null) return PAGE_EVENTS.default;
	const limit = /^\d{1,5}$/.test(text) ? Number(text) : 0;
	if (limit >= PAGE_EVENTS.min && limit <= PAGE_EVENTS.max) return limit;
	const message = `expected a whole number from ${PAGE_EVENTS.min} to ${PAGE_EVENTS.max}, got: ${shown(text)}`;
	throw invalidRequest('The limit is not valid', [{ parameter: 'limit', message }]);
}

/** Each frame of the socket is a JSON array of events. */
export const BATCH = 'batch';

/** `?frames=batch`. @throws {Problem} `InvalidRequest` */
export function readFrames({ searchParams }: URL): typeof BATCH | undefined {
	const frames = searchParams.get('frames');
	if (frames === null || frames === BATCH) return frames ?? undefined;
	const message = `expected "${BATCH}", or nothing for one event in each frame, got: ${shown(frames)}`;
	throw invalidRequest('The frames are not valid', [{ parameter: 'frames', message }]);
}

/** `?place=true`: the socket also gets frames that are no events, `{ "lastSeq": 7 }`. @throws {Problem} `InvalidRequest` */
export function wantsPlace({ searchParams }: URL): boolean {
	const place = searchParams.get('place');
	if (place === null || place === 'true') return place !== null;
	const message = `expected "true", or nothing for events only, got: ${shown(place)}`;
	throw invalidRequest('The place is not valid', [{ parameter: 'place', message }]);
}
