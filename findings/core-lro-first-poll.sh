#!/usr/bin/env bash
# @azure/core-lro 3.4.2: the Retry-After of the 202 that starts an operation is ignored, the one of a poll is obeyed.
#
# RFC 9110, section 10.2.3, and Azure's page "Track asynchronous Azure operations" say how long to wait before the
# status is asked for. The first poll comes at once. It does not even wait for the caller's intervalInMs.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @azure/core-lro@3.4.2

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createHttpPoller } from '@azure/core-lro';

const { version } = JSON.parse(readFileSync('node_modules/@azure/core-lro/package.json', 'utf8'));
const arrivals = [];

function answer(statusCode, headers, body) {
	arrivals.push(performance.now());
	return { flatResponse: body, rawResponse: { statusCode, headers, body, request: { url: '/start', method: 'POST' } } };
}

let polls = 0;
const operation = {
	sendInitialRequest: async () => answer(202, { 'operation-location': '/operations/1', 'retry-after': '2' }, {}),
	async sendPollRequest() {
		polls += 1;
		if (polls === 1) return answer(200, { 'retry-after': '2' }, { status: 'Running' });
		return answer(200, {}, { status: 'Succeeded' });
	},
};
await createHttpPoller(operation, { intervalInMs: 1_000 }).pollUntilDone();

const [firstWaitMs, secondWaitMs] = [1, 2].map((index) => Math.round(arrivals[index] - arrivals[index - 1]));
const same = firstWaitMs < 500 && secondWaitMs >= 1_990;
console.log(`@azure/core-lro ${version}`);
console.log('expected: 2,000 ms from the 202 to the first poll, and 2,000 ms from the first poll to the second');
console.log(`seen:     ${firstWaitMs} ms, then ${secondWaitMs} ms`);
console.log(same ? 'as recorded' : 'changed; recorded was less than 500 ms, then at least 2,000 ms');
process.exit(same ? 0 : 1);
JS
node try.mjs
