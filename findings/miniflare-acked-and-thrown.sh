#!/usr/bin/env bash
# miniflare 4.20260730.0: a queue's message that was acknowledged is delivered again if the handler throws afterwards.
#
# Cloudflare's documentation of Queues says that ack() and ackAll() mark messages as delivered, whether or not the
# handler returns successfully. The local queue, which `wrangler dev` uses too, forgets them when the handler throws.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . miniflare@4.20260730.0

cat > worker.js <<'JS'
const attempts = {};
let deliveries = 0;

export default {
	async fetch(request, { QUEUE }) {
		if (request.method === 'POST') await QUEUE.send(await request.text());
		return Response.json({ attempts, deliveries });
	},
	async queue(batch) {
		const [message] = batch.messages;
		deliveries += 1;
		attempts[message.body] = message.attempts;
		if (message.body.startsWith('ack(), ')) message.ack();
		if (message.body.startsWith('ackAll(), ')) batch.ackAll();
		if (message.body.endsWith('throw')) throw new Error('after the acknowledgement');
	},
};
JS

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { Log, LogLevel, Miniflare } from 'miniflare';

const { version } = JSON.parse(readFileSync('node_modules/miniflare/package.json', 'utf8'));
const miniflare = new Miniflare({
	modules: true,
	scriptPath: 'worker.js',
	compatibilityDate: '2026-04-20',
	queueProducers: { QUEUE: 'jobs' },
	queueConsumers: { jobs: { maxBatchSize: 1, maxBatchTimeout: 0, maxRetries: 2 } },
	log: new Log(LogLevel.NONE),
	handleRuntimeStdio(stdout, stderr) {
		stdout.resume();
		stderr.resume();
	},
});
const url = 'http://worker/';
for (const body of ['ack(), return', 'ack(), throw', 'ackAll(), throw', 'throw', 'last']) {
	await miniflare.dispatchFetch(url, { method: 'POST', body });
}

/** Asks until two looks, a second apart, see the same number of deliveries. */
let seen = { deliveries: -1 };
for (let before = -2; seen.attempts?.last !== 1 || before !== seen.deliveries; ) {
	before = seen.deliveries;
	await sleep(1_000);
	seen = await (await miniflare.dispatchFetch(url)).json();
}
await miniflare.dispose();

const attempts = Object.entries(seen.attempts).map(([body, count]) => `${body}: ${count}`);
const recorded = ['ack(), return: 1', 'ack(), throw: 3', 'ackAll(), throw: 3', 'throw: 3', 'last: 1'];
const same = attempts.join() === recorded.join();
console.log(`miniflare ${version}`);
console.log('expected: 1 delivery of each message that was acknowledged, 3 of the one that was not');
console.log(`seen:     ${attempts.join('; ')}`);
console.log(same ? 'as recorded' : `changed; recorded was ${recorded.join('; ')}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
