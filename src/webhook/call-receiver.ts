/** Calls a webhook's receiver once. */
import { defined } from '../core/defined.ts';
import { targetRefusal } from '../core/http/target.ts';
import { WEBHOOK_TIMEOUT_MS } from '../core/job/limits.ts';
import type { Try } from '../core/job/webhook.ts';
import { retryAfterMs } from '../core/operation/retry-after.ts';
import { logError } from '../log.ts';
import type { MessageBody, SignedMessage } from './sign.ts';

export interface ReceiverCall {
	readonly url: string;
	readonly message: SignedMessage<MessageBody>;
	readonly correlationId: string | undefined;
	/** Whether the tenant has a secret. */
	readonly isSigned: boolean;
}

/**
 * Returns the receiver's status, or nothing if it did not answer. Never rejects.
 *
 * @param logged the facts that name the delivery in the log.
 */
export async function callReceiver(
	{ url, message, correlationId, isSigned }: ReceiverCall,
	{ allowPrivateTargets }: { readonly allowPrivateTargets: boolean },
	logged: Readonly<Record<string, unknown>>,
): Promise<Try> {
	try {
		const refusal = targetRefusal(url, allowPrivateTargets);
		if (refusal !== undefined) throw new Error(`the webhook's URL is not allowed: ${refusal}`);
		if (!isSigned) throw new Error('WEBHOOK_SECRETS has no secret of this tenant to sign with');
		// A redirect is a failure: the sender registered this URL and no other.
		const response = await fetch(url, {
			method: 'POST',
			headers: { ...message.headers, ...defined({ 'x-correlation-id': correlationId }) },
			body: message.body,
			redirect: 'manual',
			signal: AbortSignal.timeout(WEBHOOK_TIMEOUT_MS),
		});
		await response.body?.cancel();
		const waitMs = retryAfterMs(response.headers.get('retry-after'), Date.now());
		return defined({ code: response.status, retryAfterMs: waitMs });
	} catch (error) {
		logError('webhook not delivered', { ...logged, correlationId, error });
		return {};
	}
}
