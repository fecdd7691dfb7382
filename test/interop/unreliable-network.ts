/** A network that can be cut. It forwards between clients and a server until it is cut. */
import { connect, createServer, type Socket } from 'node:net';

export class UnreliableNetwork {
	readonly #server = createServer((client) => this.#join(client));
	readonly #cables = new Set<Socket>();
	readonly #target: URL;
	/** Number of connections so far. */
	connections = 0;

	/** @param target the origin of the server behind it. */
	constructor(target: string) {
		this.#target = new URL(target);
	}

	/** Starts it. @returns the start of the URLs on this side. */
	async start(): Promise<string> {
		await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
		const address = this.#server.address();
		if (address === null || typeof address === 'string') throw new Error('No port is free');
		return `http://127.0.0.1:${address.port}`;
	}

	/** Cuts every connection. New ones can be opened. */
	cut(): void {
		for (const cable of this.#cables) cable.resetAndDestroy();
	}

	async stop(): Promise<void> {
		const closed = new Promise((resolve) => this.#server.close(resolve));
		this.cut();
		await closed;
	}

	#join(client: Socket): void {
		this.connections++;
		const server = connect(Number(this.#target.port), this.#target.hostname);
		for (const [cable, other] of [
			[client, server],
			[server, client],
		] as const) {
			this.#cables.add(cable);
			cable.on('close', () => {
				this.#cables.delete(cable);
				other.destroy();
			});
			// The error is reported at the client's own end.
			cable.on('error', () => {});
			cable.pipe(other);
		}
	}
}
