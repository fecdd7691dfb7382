/** A network that can be cut: it stands between clients and a server, and lets through what it is given, until it doesn't. */
import { connect, createServer, type Socket } from 'node:net';

export class UnreliableNetwork {
	readonly #server = createServer((client) => this.#join(client));
	readonly #cables = new Set<Socket>();
	readonly #target: URL;
	/** Connections that were made, from the first. */
	connections = 0;

	/** @param target the origin of the server behind it. */
	constructor(target: string) {
		this.#target = new URL(target);
	}

	/** What URLs on this side start with. */
	async start(): Promise<string> {
		await new Promise<void>((resolve) => this.#server.listen(0, '127.0.0.1', resolve));
		const address = this.#server.address();
		if (address === null || typeof address === 'string') throw new Error('No port is free');
		return `http://127.0.0.1:${address.port}`;
	}

	/** Every connection breaks off. New ones can be made. */
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
			// Whoever used it is told by its own end.
			cable.on('error', () => {});
			cable.pipe(other);
		}
	}
}
