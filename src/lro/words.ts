/** What services say of their operations in JSON: the word for how it is, how far it is, and why it failed. Pure. */
import { type Answer, isObject, type Json, objectIn } from './answer.ts';

/** What a service says of an operation, in its own words. */
export interface Told {
	/** `Succeeded`, `Creating`, `InProgress`, …: left out when there is none. */
	readonly word?: string;
	readonly percentComplete?: number;
}

/** Why an operation failed, or was canceled. */
export interface OperationError {
	/** The service's own; else `OperationFailed` or `OperationCanceled`. */
	readonly code: string;
	readonly message: string;
	readonly details: readonly unknown[];
}

export type End = 'succeeded' | 'failed' | 'canceled';

/** Both spellings of the last one are about. */
const ENDS: Readonly<Record<string, End>> = {
	succeeded: 'succeeded',
	failed: 'failed',
	canceled: 'canceled',
	cancelled: 'canceled',
};

/** Every word but these means that the operation goes on, for services make up their own. Case doesn't count. */
export function endOf(word: string | undefined): End | undefined {
	const key = word?.toLowerCase() ?? '';
	return Object.hasOwn(ENDS, key) ? ENDS[key] : undefined;
}

/** The state of a resource that is made or changed behind its URL: `properties.provisioningState`, or just that. */
export function provisioningStateIn(answer: Answer): string | undefined {
	const body = objectIn(answer);
	const state = (isObject(body.properties) ? body.properties.provisioningState : undefined) ?? body.provisioningState;
	return typeof state === 'string' ? state : undefined;
}

export function toldIn(answer: Answer): Told {
	const { status, percentComplete } = objectIn(answer);
	const word = typeof status === 'string' ? status : provisioningStateIn(answer);
	return {
		...(word !== undefined && { word }),
		...(typeof percentComplete === 'number' && { percentComplete }),
	};
}

const DEFAULTS = {
	failed: { code: 'OperationFailed', message: 'The operation failed' },
	canceled: { code: 'OperationCanceled', message: 'The operation was canceled' },
} as const;

export function errorIn(answer: Answer, end: 'failed' | 'canceled'): OperationError {
	const body = objectIn(answer);
	const error = [body.error, isObject(body.properties) ? body.properties.error : undefined].find(isObject) ?? {};
	return {
		code: wordIn(error, 'code') ?? DEFAULTS[end].code,
		message: wordIn(error, 'message') ?? DEFAULTS[end].message,
		details: Array.isArray(error.details) ? error.details : [],
	};
}

/** Some services have numbers for codes. */
function wordIn(object: Json, name: string): string | undefined {
	const value = object[name];
	return typeof value === 'number' || (typeof value === 'string' && value !== '') ? String(value) : undefined;
}
