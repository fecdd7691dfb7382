/** A deployment rotates its webhook secret, and its receivers rotate theirs at any time. */
import { randomBytes } from 'node:crypto';
import { Webhook } from 'standardwebhooks';
import { Webhook as Svix } from 'svix';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { sleepJob, submit } from './jobs.ts';
import { type Secrets, type Server, startServer } from './server.ts';
import { type Message, startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

const newSecret = () => `whsec_${randomBytes(32).toString('base64')}`;
const OLD = newSecret();
const NEW = newSecret();
const signedWith = (...secrets: string[]): Secrets => ({ WEBHOOK_SECRETS: JSON.stringify(secrets) });

let server: Server;
let receiver: WebhookReceiver;
beforeAll(async () => {
	[server, receiver] = await Promise.all([startServer(signedWith(OLD)), startWebhookReceiver()]);
});
afterAll(async () => {
	receiver.stop();
	await server.stop();
});

/** The secrets with which a receiver accepts this message as genuine. */
function accepting({ headers, body }: Message): { standardwebhooks: string[]; svix: string[] } {
	const takes = (Verifier: typeof Webhook | typeof Svix) =>
		Object.entries({ OLD, NEW })
			.filter(([, secret]) => doesNotThrow(() => new Verifier(secret).verify(body, headers)))
			.map(([name]) => name);
	return { standardwebhooks: takes(Webhook), svix: takes(Svix) };
}

function doesNotThrow(action: () => unknown): boolean {
	try {
		action();
		return true;
	} catch {
		return false;
	}
}

async function nextMessage(): Promise<Message> {
	const { id } = await submit(server.origin, sleepJob({ seconds: 0 }, { webhook: { url: receiver.url } }));
	return vi.waitFor(
		() => {
			const message = receiver.messages.find(({ headers }) => headers['webhook-id']?.startsWith(id));
			if (!message) throw new Error('No message yet');
			return message;
		},
		{ timeout: 15_000, interval: 20 },
	);
}

describe('the rotation of a webhook secret', () => {
	it('lets receivers with the old and with the new secret verify while both sign, and each alone before and after', async () => {
		expect(accepting(await nextMessage())).toEqual({ standardwebhooks: ['OLD'], svix: ['OLD'] });
		await server.redeploy(signedWith(NEW, OLD));
		expect(accepting(await nextMessage())).toEqual({ standardwebhooks: ['OLD', 'NEW'], svix: ['OLD', 'NEW'] });
		await server.redeploy(signedWith(NEW));
		expect(accepting(await nextMessage())).toEqual({ standardwebhooks: ['NEW'], svix: ['NEW'] });
	});
});
