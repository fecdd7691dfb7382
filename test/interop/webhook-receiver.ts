/** A webhook receiver: a plain HTTP server that answers 204 to every request and stores what it received. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

export interface Message {
	readonly headers: Record<string, string>;
	readonly body: string;
}

export interface WebhookReceiver {
	readonly url: string;
	/** In the order of their arrival. */
	readonly messages: readonly Message[];
	stop(): void;
}

export async function startWebhookReceiver(): Promise<WebhookReceiver> {
	const messages: Message[] = [];
	const server = createServer(async (request, response) => {
		messages.push({ headers: request.headers as Record<string, string>, body: await text(request) });
		response.writeHead(204).end();
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const { port } = server.address() as AddressInfo;
	return {
		url: `http://127.0.0.1:${port}/hook`,
		messages,
		stop: () => {
			server.close();
			server.closeAllConnections();
		},
	};
}
