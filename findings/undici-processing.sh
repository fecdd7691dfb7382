#!/usr/bin/env bash
# undici 7.30.2: each `102 Processing` starts the wait for the response again, so headersTimeout is no limit.
#
# undici's documentation of headersTimeout: the time that the parser waits for the complete headers. An informational
# response comes before the answer, and a client may ignore it (RFC 9110, section 15.2). So the limit, 300 s in Node's
# fetch, should end a slow request in spite of it. got's limit for the same, `response`, does so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . undici@7.30.2 got@16.1.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import got from 'got';
import { request } from 'undici';

const { version } = JSON.parse(readFileSync('node_modules/undici/package.json', 'utf8'));
const ANSWER_AFTER_MS = 6_000;
const LIMIT_MS = 2_000;
const server = createServer((incoming, response) => {
	if (incoming.url === '/processing') {
		const ticks = setInterval(() => response.writeProcessing(), 250);
		response.on('close', () => clearInterval(ticks));
		setTimeout(() => clearInterval(ticks), ANSWER_AFTER_MS - 50);
	}
	setTimeout(() => response.end('done'), ANSWER_AFTER_MS);
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const origin = `http://127.0.0.1:${server.address().port}`;

const clients = {
	undici: async (url) => (await request(url, { headersTimeout: LIMIT_MS })).body.text(),
	got: (url) => got(url, { timeout: { response: LIMIT_MS }, retry: { limit: 0 } }).text(),
};
const seen = {};
for (const [name, get] of Object.entries(clients)) {
	seen[name] = {};
	for (const path of ['/silent', '/processing']) {
		seen[name][path] = await get(origin + path).catch(({ code }) => code);
	}
}

const recorded = {
	undici: { '/silent': 'UND_ERR_HEADERS_TIMEOUT', '/processing': 'done' },
	got: { '/silent': 'ETIMEDOUT', '/processing': 'ETIMEDOUT' },
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`undici ${version}`);
console.log(`expected: the limit of ${LIMIT_MS} ms ends a request that is answered after ${ANSWER_AFTER_MS} ms, 102 or not`);
for (const [name, { '/silent': silent, '/processing': processing }] of Object.entries(seen)) {
	console.log(`seen:     ${name}: without 102 ${silent}, with 102 ${processing}`);
}
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
