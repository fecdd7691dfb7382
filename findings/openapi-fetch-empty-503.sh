#!/usr/bin/env bash
# openapi-fetch 0.17.0: a 503 without a body has no `error`, so `if (error)` takes it for a success.
#
# The README shows `const { data, error } = await client.GET(...)`, with data for a 2xx answer and error for a 4xx or
# 5xx answer. A 503 with Retry-After often has no body, and RFC 9110, section 15.6.4, does not ask for one.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . openapi-fetch@0.17.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import createClient from 'openapi-fetch';

const { version } = JSON.parse(readFileSync('node_modules/openapi-fetch/package.json', 'utf8'));
const server = createServer((request, response) => {
	if (request.url === '/json') response.writeHead(503, { 'retry-after': 1 }).end('{"title":"Service overloaded"}');
	if (request.url === '/length-zero') response.writeHead(503, { 'retry-after': 1, 'content-length': 0 }).end();
	if (request.url === '/chunked') {
		response.writeHead(503, { 'retry-after': 1 }).flushHeaders();
		response.end();
	}
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const client = createClient({ baseUrl: `http://127.0.0.1:${server.address().port}` });

const seen = {};
for (const path of ['/json', '/length-zero', '/chunked']) {
	const { data, error, response } = await client.GET(path);
	seen[path] = `${response.status}, error is ${JSON.stringify(error) ?? 'undefined'}, data is ${data}`;
}

const recorded = {
	'/json': '503, error is {"title":"Service overloaded"}, data is undefined',
	'/length-zero': '503, error is undefined, data is undefined',
	'/chunked': '503, error is "", data is undefined',
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`openapi-fetch ${version}`);
console.log('expected: each of the three has an error that is true in an if');
for (const [path, outcome] of Object.entries(seen)) console.log(`seen:     ${path}: ${outcome}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
