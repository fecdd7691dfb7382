#!/usr/bin/env bash
# http-cache-semantics 4.3.0, through got 16.1.0: `Cache-Control: No-Cache` is read as if it were not there.
#
# RFC 9111, section 5.2: names of cache directives are compared without regard to case. This package decides for the
# caches of got, cacheable-request and make-fetch-happen. undici's cache reads both spellings alike.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . got@16.1.0 http-cache-semantics@4.3.0 undici@7.30.2

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import got from 'got';
import { Agent, interceptors, request } from 'undici';

const { version } = JSON.parse(readFileSync('node_modules/http-cache-semantics/package.json', 'utf8'));
let requests;
let headers;
const server = createServer((incoming, response) => {
	requests += 1;
	response.writeHead(200, headers).end('running');
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const url = `http://127.0.0.1:${server.address().port}/jobs/1`;

const inAMinute = new Date(Date.now() + 60_000).toUTCString();
const answers = {
	'no-cache': { 'cache-control': 'no-cache', expires: inAMinute },
	'No-Cache': { 'cache-control': 'No-Cache', expires: inAMinute },
	'max-age=60': { 'cache-control': 'max-age=60' },
	'Max-Age=60': { 'cache-control': 'Max-Age=60' },
};
const seen = { got: {}, undici: {} };
for (const directive of Object.keys(answers)) {
	headers = answers[directive];
	const cache = new Map();
	const dispatcher = new Agent().compose(interceptors.cache());
	const clients = {
		got: () => got(url, { cache }),
		undici: async () => (await request(url, { dispatcher })).body.text(),
	};
	for (const [name, get] of Object.entries(clients)) {
		requests = 0;
		await get();
		await get();
		seen[name][directive] = requests === 1 ? 'from the cache' : 'asked again';
	}
}

const right = { 'no-cache': 'asked again', 'No-Cache': 'asked again', 'max-age=60': 'from the cache', 'Max-Age=60': 'from the cache' };
const recorded = { got: { ...right, 'No-Cache': 'from the cache', 'Max-Age=60': 'asked again' }, undici: right };
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`http-cache-semantics ${version}`);
console.log('expected: the second GET is asked again with both spellings of no-cache, and is from the cache with both of max-age');
for (const [name, outcomes] of Object.entries(seen)) {
	for (const [directive, outcome] of Object.entries(outcomes)) console.log(`seen:     ${name}, ${directive}: ${outcome}`);
}
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
