#!/usr/bin/env bash
# got 16.1.0: with its cache, the GET after a successful DELETE of the same URL still answers with the deleted resource.
#
# RFC 9111, section 4.4: a cache must invalidate the target URI after a successful unsafe request. got's documentation
# calls its caching RFC compliant. undici's cache does what the RFC says.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . got@16.1.0 undici@7.30.2

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import got from 'got';
import { Agent, interceptors, request } from 'undici';

const { version } = JSON.parse(readFileSync('node_modules/got/package.json', 'utf8'));
let job;
const server = createServer((incoming, response) => {
	incoming.resume();
	if (incoming.method === 'DELETE') {
		job = 'canceled';
		response.writeHead(204).end();
	} else response.writeHead(200, { 'cache-control': 'max-age=60' }).end(job);
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${server.address().port}/jobs/1`;

const cache = new Map();
const dispatcher = new Agent().compose(interceptors.cache());
const clients = {
	got: async (method) => (await got(url, { method, cache })).body,
	undici: async (method) => (await request(url, { method, dispatcher })).body.text(),
};
const seen = {};
for (const [name, send] of Object.entries(clients)) {
	job = 'running';
	const before = await send('GET');
	await send('DELETE');
	seen[name] = { before, after: await send('GET') };
}

const recorded = { got: { before: 'running', after: 'running' }, undici: { before: 'running', after: 'canceled' } };
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`got ${version}`);
console.log('expected: GET says "running", DELETE cancels, and the next GET says "canceled"');
for (const [name, { before, after }] of Object.entries(seen)) console.log(`seen:     ${name}: "${before}", then "${after}"`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
