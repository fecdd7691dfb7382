/** Checks the host and scheme of a request, before authentication. */
import type { Config } from '../../config/config.ts';
import { isLoopback } from '../../core/http/target.ts';
import { Problem, shown } from '../problem.ts';

/**
 * - An open deployment accepts only loopback hosts and the hosts of `PUBLIC_URL`. Otherwise a web page could point its own
 *   domain at this machine (DNS rebinding), and the browser would treat both as the same origin.
 * - Any other deployment accepts every host, but not `http:`, which sends keys and tokens unencrypted.
 *
 * @throws {Problem} `MisdirectedRequest` or `HttpsRequired`.
 */
export function refuseWrongHost({ config, url }: { readonly config: Config; readonly url: URL }): void {
	if (isLoopback(url.hostname)) return;
	const publicUrls = config.publicUrls.map((publicUrl) => new URL(publicUrl));
	if (config.isOpen && !publicUrls.some(({ host }) => host === url.host)) {
		const expected = 'localhost, a loopback address or a host of PUBLIC_URL';
		const detail = `With AUTH=none, expected ${expected}, got: ${shown(url.host)}`;
		throw new Problem('MisdirectedRequest', detail);
	}
	if (!config.isOpen && url.protocol === 'http:' && !publicUrls.some(({ origin }) => origin === url.origin)) {
		const detail =
			'Expected https:, got http:, which sends keys and tokens unencrypted: replace the ones in this request';
		throw new Problem('HttpsRequired', detail);
	}
}
