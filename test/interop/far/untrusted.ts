/** A service at `https` with a certificate that no client trusts. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export class UntrustedService {
	/** The paths that were asked for. */
	readonly paths: string[] = [];
	readonly #server: Server;

	private constructor(key: string, cert: string) {
		this.#server = createServer({ key, cert }, ({ url = '' }, answer) => {
			this.paths.push(url);
			answer.end('{"status":"canceled"}');
		});
	}

	/** Makes a certificate with `openssl`, and listens on a free port. */
	static async open(): Promise<UntrustedService> {
		const folder = mkdtempSync(join(tmpdir(), 'coatcheck-untrusted-'));
		const [key, cert] = [join(folder, 'key.pem'), join(folder, 'cert.pem')];
		const options = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '1', '-subj', '/CN=localhost'];
		execFileSync('openssl', ['req', ...options, '-keyout', key, '-out', cert], { stdio: 'ignore' });
		const service = new UntrustedService(readFileSync(key, 'utf8'), readFileSync(cert, 'utf8'));
		rmSync(folder, { recursive: true });
		await new Promise<void>((resolve) => service.#server.listen(0, () => resolve()));
		return service;
	}

	get origin(): string {
		return `https://localhost:${(this.#server.address() as AddressInfo).port}`;
	}

	close(): void {
		this.#server.closeAllConnections();
		this.#server.close();
	}
}
