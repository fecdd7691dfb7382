/** Requests to the deployment's own API. The page can do nothing that the key can't. */
import { key, signOut } from './session.ts';

export interface Problem {
	readonly status: number;
	readonly title: string;
	readonly detail?: string;
	readonly code?: string;
	readonly correlationId?: string;
	readonly errors?: readonly { readonly message: string; readonly [place: string]: string }[];
}

/** The service refused a request. */
export class ProblemError extends Error {
	override readonly name = 'ProblemError';
	readonly problem: Problem;

	constructor(problem: Problem) {
		super(problem.detail ?? problem.title);
		this.problem = problem;
	}
}

/** Refusals that may pass: a slow request, and the rate limit. */
const PASSING = new Set([408, 425, 429]);

/** Whether the same request would be refused again. */
export function isRefused(error: unknown): boolean {
	if (!(error instanceof ProblemError)) return false;
	const { status } = error.problem;
	return status < 500 && !PASSING.has(status);
}

/** @param url of this origin. @throws {TypeError} without a connection. */
export async function send(url: string, init: RequestInit = {}): Promise<Response> {
	const headers = new Headers(init.headers);
	if (key.value !== undefined) headers.set('authorization', `Bearer ${key.value}`);
	const response = await fetch(ownUrl(url), { cache: 'no-store', ...init, headers });
	if (response.status === 401) signOut('The key is not valid, or has expired.');
	return response;
}

/** @throws {ProblemError} for a refusal. */
export async function sendChecked(url: string, init?: RequestInit): Promise<Response> {
	const response = await send(url, init);
	if (!response.ok) throw new ProblemError(await readProblem(response));
	return response;
}

/** @throws {ProblemError} for a refusal. */
export async function readJson<Value>(url: string, init?: RequestInit): Promise<Value> {
	return (await (await sendChecked(url, init)).json()) as Value;
}

export function postJson<Value>(url: string, body: unknown): Promise<Value> {
	const headers = { 'content-type': 'application/json' };
	return readJson<Value>(url, { method: 'POST', headers, body: JSON.stringify(body) });
}

/**
 * A link of the API as the page calls it: at its own origin, whatever `PUBLIC_URL` says, and without the link's token. The key is
 * never sent elsewhere.
 */
export function ownUrl(link: string): string {
	const url = new URL(link, location.origin);
	url.searchParams.delete('token');
	return `${location.origin}${url.pathname}${url.search}`;
}

/** Opens a socket. The token of the link goes into a subprotocol, so that no URL has it. */
export function openSocket(link: string): WebSocket {
	const url = new URL(link, location.href);
	const token = url.searchParams.get('token');
	const protocols = token === null ? ['coatcheck.v1'] : ['coatcheck.v1', `coatcheck.token.${token}`];
	return new WebSocket(`${location.origin.replace(/^http/, 'ws')}${url.pathname}`, protocols);
}

async function readProblem(response: Response): Promise<Problem> {
	const fallback = { status: response.status, title: `The service answered ${response.status}` };
	try {
		return { ...fallback, ...((await response.json()) as Partial<Problem>) };
	} catch {
		return fallback;
	}
}
