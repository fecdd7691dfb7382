/** Where everything about a job is: the only place that spells its URLs. */

export interface Links {
	readonly self: string;
	readonly operation: string;
	readonly result: string;
	readonly events: string;
	/** Left out once the job is over. */
	readonly socket?: string;
	/** Left out for a reader who may not cancel, and once the job is over. */
	readonly cancel?: string;
}

/** How one reader reaches a job. */
export interface LinkBase {
	/** Scheme and authority, and a path when a gateway adds one: `https://jobs.example`. No slash at the end. */
	readonly origin: string;
	/** Signed for reading this job; left out where the deployment has no signing key. */
	readonly token?: string;
	/** Signed for canceling this job. Bases of version 0.1.0 leave it out: their `token` does both. */
	readonly cancelToken?: string;
	readonly mayCancel: boolean;
	/** Whether the reader may see the path of the webhook's URL: senders put secrets there. Left out: no. */
	readonly seesWebhookPath?: true;
	/** How this job answers on its status URL, as the submission asked. */
	readonly flags?: Readonly<Record<string, string>>;
}

export function jobLinks(id: string, base: LinkBase): Links & { readonly socket: string } {
	const { origin, token, cancelToken = token, flags = {}, mayCancel } = base;
	const isFlagged = Object.keys(flags).length > 0;
	const withToken = token === undefined ? {} : { token };
	const query = queryOf(withToken);
	const job = `${origin}/v1/jobs/${id}`;
	return {
		self: `${job}${isFlagged ? queryOf({ ...flags, ...withToken }) : query}`,
		operation: `${origin}/v1/operations/${id}${query}`,
		result: `${job}/result${query}`,
		events: `${job}/events${query}`,
		socket: `${job.replace(/^http/, 'ws')}/socket${query}`,
		...(mayCancel && { cancel: `${job}/cancel${queryOf(cancelToken === undefined ? {} : { token: cancelToken })}` }),
	};
}

/** Where an external worker reports for the one attempt that its token is for. */
export interface AttemptLinks {
	readonly progress: string;
	readonly complete: string;
	readonly fail: string;
}

export function attemptLinks(id: string, { origin, token }: { origin: string; token: string }): AttemptLinks {
	const link = (action: string) => `${origin}/v1/jobs/${id}/${action}${queryOf({ token })}`;
	return { progress: link('progress'), complete: link('complete'), fail: link('fail') };
}

function queryOf(parameters: Readonly<Record<string, string>>): string {
	const query = new URLSearchParams(parameters).toString();
	return query === '' ? '' : `?${query}`;
}
