/**
 * Handles a job's message: polls an operation, continues an action, or makes an attempt. The attempt of a forwarded request asks its upstream's
 * gate before it starts, and reports to the gate when it has ended.
 */
import type { ReceivedMessage } from '../core/job/message.ts';
import type { Report } from '../core/job/object-api.ts';
import type { Health } from '../core/upstream/gate.ts';
import type { AttemptDependencies } from './attempt.ts';
import { makeAttempt } from './make-attempt.ts';
import { admit, leave } from './upstream/admission.ts';

/** @returns what the consumer must do with the message. The job knows the outcome already. */
export async function handleMessage(dependencies: AttemptDependencies, received: ReceivedMessage): Promise<Report> {
	const { message } = received;
	if (message.ask) {
		const { continueFollowing } = await import('./rare-work.ts');
		return continueFollowing(dependencies, { ...message, ask: message.ask });
	}
	if (message.upstream) return admitAndAttempt(dependencies, received);
	const { report } = await makeAttempt(dependencies, received);
	return report;
}

async function admitAndAttempt(dependencies: AttemptDependencies, received: ReceivedMessage): Promise<Report> {
	const admission = await admit(dependencies, received);
	if (admission.type === 'deferred') return admission.report;
	let health: Health | undefined;
	try {
		const made = await makeAttempt(dependencies, received);
		health = made.health;
		return made.report;
	} finally {
		if (admission.visit) await leave(dependencies, admission.visit, health);
	}
}
