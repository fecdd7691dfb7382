#!/usr/bin/env bash
# workerd 1.20260730.1, in miniflare 4.20260730.0: of two calls of a message's retry(), the second one's delay counts.
#
# Cloudflare's page "Batching, Retries and Delays": the first call on a message wins in all cases. Between ack() and
# retry() it does. Of two retries, the last delay is used.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . miniflare@4.20260730.0

cat > worker.js <<'JS'
const deliveries = {};

export default {
	async fetch(request, { QUEUE }) {
		if (request.method === 'POST') await QUEUE.send(await request.text());
		return Response.json(deliveries);
	},
	async queue(batch) {
		const [message] = batch.messages;
		deliveries[message.body] ??= [];
		deliveries[message.body].push(Date.now());
		if (message.attempts > 1) return;
		for (const call of message.body.split(', ')) {
			if (call === 'ack') message.ack();
			else message.retry({ delaySeconds: Number(call) });
		}
	},
};
JS

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Log, LogLevel, Miniflare } from 'miniflare';

const { version } = JSON.parse(readFileSync('node_modules/miniflare/package.json', 'utf8'));
const workerd = JSON.parse(readFileSync('node_modules/workerd/package.json', 'utf8')).version;
const miniflare = new Miniflare({
	modules: true,
	scriptPath: 'worker.js',
	compatibilityDate: '2026-04-20',
	queueProducers: { QUEUE: 'jobs' },
	queueConsumers: { jobs: { maxBatchSize: 1, maxBatchTimeout: 0 } },
	log: new Log(LogLevel.NONE),
	handleRuntimeStdio(stdout, stderr) {
		stdout.resume();
		stderr.resume();
	},
});
const url = 'http://worker/';
for (const body of ['0, 3', '3, 0', '3, ack', 'ack, 3']) await miniflare.dispatchFetch(url, { method: 'POST', body });

/** Asks until two looks, five seconds apart, see the same deliveries. */
let deliveries = {};
for (let before = ''; before !== JSON.stringify(deliveries) || !deliveries['ack, 3']; ) {
	before = JSON.stringify(deliveries);
	await sleep(5_000);
	deliveries = await (await miniflare.dispatchFetch(url)).json();
}
await miniflare.dispose();

const seen = {};
for (const [calls, [first, second]] of Object.entries(deliveries)) {
	seen[calls] = second === undefined ? 'no second delivery' : second - first < 2_000 ? 'at once' : 'after 3 s';
}
const recorded = { '0, 3': 'after 3 s', '3, 0': 'at once', '3, ack': 'after 3 s', 'ack, 3': 'no second delivery' };
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`miniflare ${version}, workerd ${workerd}`);
console.log('expected: retry() with 0 and then with 3 seconds: at once; with 3 and then with 0: after 3 s');
for (const [calls, when] of Object.entries(seen)) console.log(`seen:     ${calls}: ${when}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
