/** Responses as services send them, without a network. */
import type { Answer } from '../../../src/core/operation/answer.ts';
import type { Operation } from '../../../src/core/operation/step.ts';

export const NOW = Date.UTC(2026, 10, 20, 12, 0, 0);
export const THING = 'https://host.example/things/1';
export const ASKED = 'https://host.example/operations/7';

export interface AnswerFacts {
	readonly url?: string;
	readonly headers?: Readonly<Record<string, string>>;
	readonly body?: unknown;
	readonly isRedirected?: boolean;
}

export function answer(status: number, { url = THING, headers = {}, ...rest }: AnswerFacts = {}): Answer {
	return { status, url, headers: new Headers(headers), ...rest };
}

/** The response of a running operation. */
export function operation(asksFor: Operation['asksFor'], more: Partial<Operation> = {}): Operation {
	return { method: 'POST', askAt: ASKED, asksFor, ...more };
}

/** The response with a resource in this state. */
export function resource(provisioningState: string, more: object = {}) {
	return { id: '1', properties: { provisioningState, ...more } };
}
