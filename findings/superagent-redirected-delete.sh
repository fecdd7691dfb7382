#!/usr/bin/env bash
# superagent 10.4.2: a DELETE that is redirected with 301 or 302 is followed with GET.
#
# RFC 9110, sections 15.4.2 and 15.4.3 let a client change POST to GET at 301 and 302, for historical reasons, and no
# other method. The fetch standard says the same. Node's fetch and axios send DELETE again. The documentation of
# superagent says that it follows redirects, and nothing about methods.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . superagent@10.4.2 axios@1.21.1

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import axios from 'axios';
import superagent from 'superagent';

const { version } = JSON.parse(readFileSync('node_modules/superagent/package.json', 'utf8'));
let followed;
const server = createServer((request, response) => {
	const [, status] = request.url.split('/old/');
	request.resume();
	if (status) return response.writeHead(status, { location: '/jobs/1' }).end();
	followed = request.method;
	response.end('ok');
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const origin = `http://127.0.0.1:${server.address().port}`;

const clients = {
	superagent: (method, url) => superagent(method, url),
	axios: (method, url) => axios.request({ method, url }),
	fetch: (method, url) => fetch(url, { method }),
};
const seen = {};
for (const [name, send] of Object.entries(clients)) {
	seen[name] = [];
	for (const method of ['PUT', 'DELETE']) {
		for (const status of [301, 302, 307]) {
			await send(method, `${origin}/old/${status}`);
			seen[name].push(`${method} ${status} -> ${followed}`);
		}
	}
}

const kept = ['PUT 301 -> PUT', 'PUT 302 -> PUT', 'PUT 307 -> PUT', 'DELETE 301 -> DELETE', 'DELETE 302 -> DELETE', 'DELETE 307 -> DELETE'];
const changed = ['PUT 301 -> GET', 'PUT 302 -> GET', 'PUT 307 -> PUT', 'DELETE 301 -> GET', 'DELETE 302 -> GET', 'DELETE 307 -> DELETE'];
const recorded = { superagent: changed, axios: kept, fetch: kept };
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`superagent ${version}`);
console.log(`expected: ${kept.join(', ')}`);
for (const [name, lines] of Object.entries(seen)) console.log(`seen:     ${name}: ${lines.join(', ')}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
