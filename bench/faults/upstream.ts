/** An upstream for the bench, which counts the requests that it receives. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Upstream {
	readonly baseUrl: string;
	/** Number of polls of the operation. */
	polls(): number;
	/** The idempotency keys of the requests. */
	readonly keys: (string | undefined)[];
	readonly close: () => void;
}

export async function startUpstream(): Promise<Upstream> {
	let polls = 0;
	const keys: (string | undefined)[] = [];
	const server = createServer((request, response) => {
		request.resume();
		request.on('end', () => {
			const origin = `http://${request.headers.host}`;
			const answer = (status: number, headers: Record<string, string>, body = '') => {
				response.writeHead(status, headers);
				response.end(body);
			};
			switch (new URL(request.url ?? '/', origin).pathname) {
				case '/operation':
					return answer(202, { 'operation-location': `${origin}/status`, 'retry-after': '0' });
				case '/status':
					polls++;
					return answer(200, { 'content-type': 'application/json', 'retry-after': '0' }, '{"status":"Running"}');
				case '/bad':
					return answer(500, {});
				case '/bytes':
					return request.headers.range === undefined
						? answer(200, { 'content-type': 'text/plain' }, 'all of it')
						: answer(206, { 'content-type': 'text/plain', 'content-range': 'bytes 0-2/9' }, 'all');
				default:
					keys.push(request.headers['idempotency-key'] as string | undefined);
					return answer(200, { 'content-type': 'text/plain' }, 'fine');
			}
		});
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	const baseUrl = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
	return { baseUrl, polls: () => polls, keys, close: () => server.close() };
}
