/** Something that a check found. Pure. */

/** `error`: it will not work, or is not safe. `warning`: it works, but slowly, or with a risk. `note`: can't be checked from here. */
export type Severity = 'error' | 'warning' | 'note';

export interface Finding {
	readonly severity: Severity;
	/** For programs. */
	readonly code: string;
	readonly message: string;
	/** What to do. */
	readonly fix?: string;
}

export function error(code: string, message: string, fix?: string): Finding {
	return { severity: 'error', code, message, ...(fix === undefined ? {} : { fix }) };
}

export function warning(code: string, message: string, fix?: string): Finding {
	return { severity: 'warning', code, message, ...(fix === undefined ? {} : { fix }) };
}

export function remark(code: string, message: string, fix?: string): Finding {
	return { severity: 'note', code, message, ...(fix === undefined ? {} : { fix }) };
}
