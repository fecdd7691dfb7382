/** Normalises the progress that a task reports. */
import { PROGRESS_DATA_BYTES, PROGRESS_MESSAGE_CHARS } from '../core/job/limits.ts';
import type { Progress } from '../core/job/record.ts';
import { plainJson } from './plain-json.ts';

/**
 * Fits reported progress to the limits. Values out of bounds are cut or left out, because progress must never fail a job.
 */
export function checkedProgress(percent: number | undefined, message: string | undefined, data?: unknown): Progress {
	const isNumber = typeof percent === 'number' && Number.isFinite(percent);
	const kept = plainJson(data, PROGRESS_DATA_BYTES);
	return {
		...(isNumber && { percentComplete: Math.round(Math.min(100, Math.max(0, percent)) * 10) / 10 }),
		...(message !== undefined && { message: String(message).slice(0, PROGRESS_MESSAGE_CHARS) }),
		...(kept !== undefined && { data: kept }),
	};
}
