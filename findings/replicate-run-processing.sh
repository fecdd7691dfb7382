#!/usr/bin/env bash
# replicate 1.4.0: run() takes a prediction that is still being processed for ended, and returns its empty output.
#
# run() sends `Prefer: wait`, and the service may answer before the prediction has ended. The README says of this mode
# that the client falls back to polling. It does so for the status "starting", and takes "processing" for the end.
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
let firstStatus;
let requests;
const server = createServer((request, response) => {
	requests.push(`${request.method} ${request.headers.prefer ?? ''}`.trim());
	const running = { id: 'p1', status: firstStatus, output: null };
	const ended = { id: 'p1', status: 'succeeded', output: 'the result' };
	request.resume();
	response.setHeader('content-type', 'application/json');
	response.end(JSON.stringify(request.method === 'POST' ? running : ended));
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const replicate = new Replicate({ auth: 'none', baseUrl: `http://127.0.0.1:${server.address().port}` });

const seen = {};
for (firstStatus of ['starting', 'processing']) {
	requests = [];
	const output = await replicate.run('owner/model', { input: {} });
	seen[firstStatus] = { requests, output: String(output) };
}

const recorded = {
	starting: { requests: ['POST wait', 'GET'], output: 'the result' },
	processing: { requests: ['POST wait'], output: 'null' },
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`replicate ${version}`);
console.log('expected: after both statuses, run() polls and returns "the result" (README, options.wait.timeout)');
for (const [status, { requests, output }] of Object.entries(seen)) {
	console.log(`seen:     first status "${status}": ${requests.join(', ')}; run() returned ${output}`);
}
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
