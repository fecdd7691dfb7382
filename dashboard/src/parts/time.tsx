import { formatClock, formatRelative } from '../pure/format.ts';
import { now } from '../state/live.ts';

/** A time as its age, with the exact time beside it for who points at it. */
export function Age({ at }: { readonly at: string }) {
	return (
		<time dateTime={at} title={at}>
			{formatRelative(at, now.value)}
		</time>
	);
}

export function Clock({ at }: { readonly at: string }) {
	return (
		<time dateTime={at} title={at}>
			{formatClock(at, now.value)}
		</time>
	);
}
