/** An upstream and a receiver of webhooks, on a port of this machine. */
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';

export const HOSTILE = `<img src=x onerror="document.title='owned'"><script>document.title='owned'</script>`;
export const BIG = '{"big":9007199254740993,"price":1.10}';
/** One pixel. */
const PNG = Buffer.from(
	'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
	'base64',
);

const ANSWERS: Record<string, { readonly status: number; readonly type: string; readonly body: string | Buffer }> = {
	'/big': { status: 200, type: 'application/json', body: BIG },
	'/hostile': { status: 200, type: 'text/html', body: HOSTILE },
	'/image': { status: 200, type: 'image/png', body: PNG },
	'/fails': { status: 503, type: 'text/plain', body: 'no' },
	'/hook': { status: 204, type: 'text/plain', body: '' },
};

export interface FakeUpstream {
	readonly origin: string;
	/** The requests so far. */
	readonly received: readonly { readonly path: string; readonly headers: IncomingHttpHeaders }[];
	stop(): Promise<void>;
}

export async function startFakeUpstream(): Promise<FakeUpstream> {
	const received: { path: string; headers: IncomingHttpHeaders }[] = [];
	const server: Server = createServer((request, response) => {
		const path = request.url ?? '';
		received.push({ path, headers: request.headers });
		const { status, type, body } = ANSWERS[path] ?? { status: 404, type: 'text/plain', body: '' };
		request.resume().on('end', () => response.writeHead(status, { 'content-type': type }).end(body));
	});
	await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
	return {
		origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
		received,
		stop: () => new Promise((resolve) => server.close(() => resolve())),
	};
}
