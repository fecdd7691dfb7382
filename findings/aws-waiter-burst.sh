#!/usr/bin/env bash
# @aws-sdk/client-lambda 3.1164.0: shortly before its time is up, a waiter polls several times without any pause.
#
# Smithy's specification of waiters, "Waiter retries": no delay is shorter than `minDelay`, but for one last poll, when
# `maxWaitTime` ends. The clients of all AWS services share the waiter. Half a second before the end, its delay is 0.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @aws-sdk/client-lambda@3.1164.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { LambdaClient, waitUntilFunctionActiveV2 } from '@aws-sdk/client-lambda';

const { version } = JSON.parse(readFileSync('node_modules/@aws-sdk/client-lambda/package.json', 'utf8'));
const arrivals = [];
const server = createServer((request, response) => {
	arrivals.push(performance.now());
	response.setHeader('content-type', 'application/json');
	response.end(JSON.stringify({ Configuration: { FunctionName: 'slow', State: 'Pending' } }));
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const client = new LambdaClient({
	endpoint: `http://127.0.0.1:${server.address().port}`,
	region: 'us-east-1',
	credentials: { accessKeyId: 'none', secretAccessKey: 'none' },
});

const waiting = { client, minDelay: 1, maxWaitTime: 4 };
const outcome = await waitUntilFunctionActiveV2(waiting, { FunctionName: 'slow' }).catch(({ name }) => name);

const pausesMs = arrivals.slice(1).map((arrival, index) => Math.round(arrival - arrivals[index]));
const none = pausesMs.filter((pauseMs) => pauseMs < 200).length;
const same = outcome === 'TimeoutError' && none >= 2;
console.log(`@aws-sdk/client-lambda ${version}`);
console.log('expected: with minDelay 1 and maxWaitTime 4, at most 5 polls, with 1,000 ms or more between them');
console.log(`seen:     ${arrivals.length} polls, with pauses of ${pausesMs.join(', ')} ms; ${outcome}`);
console.log(same ? 'as recorded' : 'changed; recorded was TimeoutError, and two or more pauses of almost nothing');
process.exit(same ? 0 : 1);
JS
node --no-warnings try.mjs
