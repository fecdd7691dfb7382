/** Which names and schemes of its own a deployment answers under. Judged before credentials are read. */
import type { Config } from '../config.ts';
import { isLoopback } from '../target.ts';
import { Problem, shown } from './problem.ts';

/**
 * - A deployment that lets everybody in answers under the machine's own names only, and under those of `PUBLIC_URL`. A web page can
 *   point a name of its own at this machine (DNS rebinding), and the browser then takes it for a page of the same origin.
 * - Any other deployment answers under every name, but not over `http:`, where keys and tokens travel in the clear.
 *
 * @throws {Problem} `MisdirectedRequest` or `HttpsRequired`.
 */
export function refuseWrongHost({ config, url }: { readonly config: Config; readonly url: URL }): void {
	if (isLoopback(url.hostname)) return;
	const publicUrls = config.publicUrls.map((publicUrl) => new URL(publicUrl));
	if (config.isOpen && !publicUrls.some(({ host }) => host === url.host)) {
		const expected = 'localhost, a loopback address or a host of PUBLIC_URL';
		const detail = `While AUTH is none, expected ${expected}, got: ${shown(url.host)}`;
		throw new Problem('MisdirectedRequest', detail);
	}
	if (!config.isOpen && url.protocol === 'http:' && !publicUrls.some(({ origin }) => origin === url.origin)) {
		const detail =
			'Expected https:, got http:, where keys and tokens travel in the clear: replace those that were sent';
		throw new Problem('HttpsRequired', detail);
	}
}
