/** The URLs of a job. No other file builds them. */
import { defined } from '../defined.ts';

export interface Links {
	readonly self: string;
	readonly operation: string;
	readonly result: string;
	readonly events: string;
	/** Left out once the job has finished. */
	readonly socket?: string;
	/** Left out for a reader without the right to cancel, and once the job has finished. */
	readonly cancel?: string;
}

/** The base of one reader's links to a job. */
export interface LinkBase {
	/** Scheme and authority, and a path if a gateway adds one: `https://jobs.example`. No trailing slash. */
	readonly origin: string;
	/** A token that grants reading this job; left out if the deployment has no signing key. */
	readonly token?: string;
	/** A token that grants canceling this job. Version 0.1.0 leaves it out: its `token` grants both. */
	readonly cancelToken?: string;
	readonly mayCancel: boolean;
	/** Whether the reader may see the path of the webhook's URL, which can contain a secret. Default: no. */
	readonly seesWebhookPath?: true;
	/** The flags of the job's status URL, as the submission set them. */
	readonly flags?: Readonly<Record<string, string>>;
}

export function jobLinks(id: string, base: LinkBase): Links & { readonly socket: string } {
	const { origin, token, cancelToken = token, flags = {}, mayCancel } = base;
	const isFlagged = Object.keys(flags).length > 0;
	const query = tokenQuery(token);
	const job = `${origin}/v1/jobs/${id}`;
	return {
		self: `${job}${isFlagged ? queryString(defined({ ...flags, token })) : query}`,
		operation: `${origin}/v1/operations/${id}${query}`,
		result: `${job}/result${query}`,
		events: `${job}/events${query}`,
		socket: `${job.replace(/^http/, 'ws')}/socket${query}`,
		...(mayCancel && {
			cancel: `${job}/cancel${tokenQuery(cancelToken)}`,
		}),
	};
}

/** The URLs at which an external worker reports on one attempt, the one that its token names. */
export interface AttemptLinks {
	readonly progress: string;
	readonly complete: string;
	readonly fail: string;
}

export function attemptLinks(id: string, { origin, token }: { origin: string; token: string }): AttemptLinks {
	const link = (action: string) => `${origin}/v1/jobs/${id}/${action}${tokenQuery(token)}`;
	return { progress: link('progress'), complete: link('complete'), fail: link('fail') };
}

function tokenQuery(token: string | undefined): string {
	return token === undefined ? '' : `?token=${encodeURIComponent(token)}`;
}

function queryString(parameters: Readonly<Record<string, string>>): string {
	return `?${new URLSearchParams(parameters)}`;
}
