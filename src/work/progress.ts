/** Normalises and sends the progress that a task reports. */
import { defined } from '../core/defined.ts';
import { PROGRESS_DATA_BYTES, PROGRESS_MESSAGE_CHARS } from '../core/job/limits.ts';
import type { Progress } from '../core/job/record.ts';
import type { Attempt } from './attempt.ts';
import { plainJson } from './plain-json.ts';

/**
 * Fits reported progress to the limits. Values out of bounds are cut or left out, because progress must never fail a job.
 */
export function normalizeProgress(percent: number | undefined, message: string | undefined, data?: unknown): Progress {
	const isNumber = typeof percent === 'number' && Number.isFinite(percent);
	return defined({
		percentComplete: isNumber ? Math.round(Math.min(100, Math.max(0, percent)) * 10) / 10 : undefined,
		message: message === undefined ? undefined : String(message).slice(0, PROGRESS_MESSAGE_CHARS),
		data: plainJson(data, PROGRESS_DATA_BYTES),
	});
}

/** Passes progress on to watchers. A stopped attempt has none. */
export function sendProgress({ signal, link }: Pick<Attempt, 'signal' | 'link'>, progress: Progress): void {
	if (!signal.aborted) link.report(progress);
}
