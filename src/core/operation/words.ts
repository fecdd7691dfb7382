/** The JSON that services send about their operations: status, progress, and error. Pure. */
import { defined } from '../defined.ts';
import { isObject } from '../http/json.ts';
import { type Answer, type Json, objectIn } from './answer.ts';

/** An operation's state in the service's own terms. */
export interface Told {
	/** The service's status: `Succeeded`, `Creating`, `InProgress`, … Absent when the service sends none. */
	readonly word?: string;
	readonly percentComplete?: number;
}

/** The error of a failed or canceled operation. */
export interface OperationError {
	/** The service's own code; otherwise `OperationFailed` or `OperationCanceled`. */
	readonly code: string;
	readonly message: string;
	readonly details: readonly unknown[];
}

export type End = 'succeeded' | 'failed' | 'canceled';

/** Services use both spellings of the last one. */
const ENDS: Readonly<Record<string, End>> = {
	succeeded: 'succeeded',
	failed: 'failed',
	canceled: 'canceled',
	cancelled: 'canceled',
};

/** Any other status means that the operation continues, because services define their own. Case is ignored. */
export function endForWord(word: string | undefined): End | undefined {
	const key = word?.toLowerCase() ?? '';
	return Object.hasOwn(ENDS, key) ? ENDS[key] : undefined;
}

/**
 * The state of a resource that its service makes or changes asynchronously: `properties.provisioningState`, or
 * `provisioningState`.
 */
export function provisioningStateIn(answer: Answer): string | undefined {
	const body = objectIn(answer);
	const state = (isObject(body.properties) ? body.properties.provisioningState : undefined) ?? body.provisioningState;
	return typeof state === 'string' ? state : undefined;
}

export function toldIn(answer: Answer): Told {
	const { status, percentComplete } = objectIn(answer);
	const word = typeof status === 'string' ? status : provisioningStateIn(answer);
	return defined({ word, percentComplete: typeof percentComplete === 'number' ? percentComplete : undefined });
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

/** Some services use numbers as codes. */
function wordIn(object: Json, name: string): string | undefined {
	const value = object[name];
	return typeof value === 'number' || (typeof value === 'string' && value !== '') ? String(value) : undefined;
}
