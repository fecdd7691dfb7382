import { afterEach, describe, expect, it, vi } from 'vitest';
import { allowedTarget, guardedFetch } from '../../src/work/fetch.ts';

/** The requests to the network, which is a table here. */
function network(answers: Record<string, () => Response>) {
	const asked: Request[] = [];
	vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
		const request = new Request(input as string | URL, init);
		asked.push(request);
		return answers[request.url]?.() ?? new Response('nothing there', { status: 404 });
	});
	return asked;
}

const redirect =
	(location: string, status = 302) =>
	() =>
		new Response(null, { status, headers: { location } });
const guarded = (allowPrivateTargets = false) =>
	guardedFetch({ signal: new AbortController().signal, allowPrivateTargets });

afterEach(() => vi.restoreAllMocks());

describe('a fetch for a task', () => {
	it.each([
		'http://example.com/',
		'ftp://example.com/',
		'file:///etc/passwd',
		'https://localhost/',
		'https://api.localhost/',
		'https://printer.local/',
		'https://db.internal/',
		'https://intranet/',
		'https://localhost.localdomain/',
		'https://LOCALHOST.LocalDomain./',
		'https://router.home.arpa/',
		'https://app.test/',
		'https://app.test./',
		'https://app.te\u00adst/',
		'https://app.invalid/',
		'https://abc.onion/',
		'https://abc.alt/',
		'https://127.0.0.1/',
		'https://127.1/',
		'https://2130706433/',
		'https://0x7f.0.0.1/',
		'https://0177.0.0.1/',
		'https://0.0.0.0/',
		'https://10.1.2.3/',
		'https://172.16.0.1/',
		'https://192.168.0.1/',
		'https://169.254.169.254/latest/meta-data/',
		'https://100.64.0.1/',
		'https://[::1]/',
		'https://[::]/',
		'https://[::ffff:127.0.0.1]/',
		'https://[::ffff:7f00:1]/',
		'https://[64:ff9b::7f00:1]/',
		'https://[::127.0.0.1]/',
		'https://[::7f00:1]/',
		'https://[::10.1.2.3]/',
		'https://[0:0:0:0:0:0:169.254.169.254]/',
		'https://[::8.8.8.8]/',
		'https://[::ffff:0:10.0.0.1]/',
		'https://[64:ff9b:1::7f00:1]/',
		'https://[2002:7f00:1::]/',
		'https://[2001:0:7f00:1::]/',
		'https://[fec0::1]/',
		'https://[4000::1]/',
		'https://[fe80::1]/',
		'https://[fc00::1]/',
		'https://[fd00:ec2::254]/',
		'https://224.0.0.1/',
		'https://255.255.255.255/',
		'https://ⓛocalhost/',
		'https://localhost./',
		'https://router./',
		'https://router../',
		'https://.router/',
		'https://api..example.com/',
		'https://printer.local./',
		'https://db.internal./',
		'https://127.0.0.1./',
		'https://user:password@example.com/',
		'not a url',
	])('refuses %s', (url) => {
		expect(() => allowedTarget(url, false)).toThrow(
			expect.objectContaining({ code: 'TargetNotAllowed', retryable: false }),
		);
	});

	it.each([
		'https://example.com/',
		'https://example.com./',
		'https://receiver.example/',
		'https://test.com/',
		'https://mytest.org/',
		'https://8.8.8.8/',
		'https://[2606:4700::1111]/',
		'https://example.com:8443/a?b=c',
	])('goes to %s', (url) => {
		expect(allowedTarget(url, false).href).toBe(url);
	});

	it('goes to private addresses and http only where the deployment says so', () => {
		expect(allowedTarget('http://127.0.0.1:8080/', true).href).toBe('http://127.0.0.1:8080/');
		expect(() => allowedTarget('file:///etc/passwd', true)).toThrow();
	});

	it('follows redirects, looking at each address', async () => {
		const asked = network({
			'https://a.example/': redirect('https://b.example/x'),
			'https://b.example/x': redirect('/y'),
			'https://b.example/y': () => new Response('here'),
		});
		expect(await (await guarded()('https://a.example/')).text()).toBe('here');
		expect(asked.map(({ url }) => url)).toEqual(['https://a.example/', 'https://b.example/x', 'https://b.example/y']);
	});

	it.each([
		'https://169.254.169.254/',
		'http://a.example/',
		'//127.0.0.1/',
	])('does not follow one to %s', async (location) => {
		const asked = network({ 'https://a.example/': redirect(location) });
		await expect(guarded()('https://a.example/')).rejects.toMatchObject({ code: 'TargetNotAllowed' });
		expect(asked).toHaveLength(1);
	});

	it('gives up on a circle', async () => {
		const asked = network({ 'https://a.example/': redirect('https://a.example/') });
		await expect(guarded()('https://a.example/')).rejects.toMatchObject({ code: 'TargetNotAllowed' });
		expect(asked).toHaveLength(6);
	});

	it('takes no credentials to another origin, and no body after a 303', async () => {
		const asked = network({ 'https://a.example/': redirect('https://b.example/', 303) });
		const headers = { authorization: 'Bearer x', cookie: 'a=b', 'content-type': 'text/plain', 'x-own': '1' };
		await guarded()('https://a.example/', { method: 'POST', headers, body: 'x' });
		const [, second] = asked;
		expect(second?.method).toBe('GET');
		expect([...(second?.headers ?? [])]).toEqual([['x-own', '1']]);
	});

	it('stops with its attempt', async () => {
		const controller = new AbortController();
		const asked = network({});
		await guardedFetch({ signal: controller.signal, allowPrivateTargets: false })('https://a.example/');
		controller.abort();
		expect(asked[0]?.signal.aborted).toBe(true);
	});
});
