#!/usr/bin/env bash
# replicate 1.4.0: after 429 with Retry-After, it sends the request again five times without any pause.
#
# RFC 9110, section 10.2.3: Retry-After says how long to wait before the next request. The docstring of the package's
# retry function promises that, and a growing pause otherwise.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . replicate@1.4.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import Replicate from 'replicate';

const { version } = JSON.parse(readFileSync('node_modules/replicate/package.json', 'utf8'));
const arrivals = [];
const server = createServer((request, response) => {
	arrivals.push(Date.now());
	request.resume();
	response.writeHead(429, { 'retry-after': '3' }).end();
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const replicate = new Replicate({ auth: 'none', baseUrl: `http://127.0.0.1:${server.address().port}` });

await replicate.predictions.create({ model: 'owner/model', input: {} }).catch(() => {});
const totalMs = arrivals.at(-1) - arrivals[0];

const same = arrivals.length === 6 && totalMs < 1_000;
console.log(`replicate ${version}`);
console.log('expected: at least 3 s between two requests, because each answer is 429 with Retry-After: 3');
console.log(`seen:     ${arrivals.length} requests within ${totalMs} ms`);
console.log(same ? 'as recorded' : 'changed; recorded was 6 requests within a second');
process.exit(same ? 0 : 1);
JS
node try.mjs
