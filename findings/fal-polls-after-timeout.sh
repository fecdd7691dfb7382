#!/usr/bin/env bash
# @fal-ai/client 1.10.1: subscribe() has timed out and has sent the cancellation, and it goes on polling for ever.
#
# The docstring of `timeout` says that the subscription will be cancelled. The client rejects the promise, sends the
# cancellation and clears the timer of the next poll. If a poll is under way just then, its answer sets the timer again.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @fal-ai/client@1.10.1

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { createFalClient } from '@fal-ai/client';

const { version } = JSON.parse(readFileSync('node_modules/@fal-ai/client/package.json', 'utf8'));
const POLL_TAKES_MS = 600;

/** Runs one subscription, and counts what is sent before and in the 3 s after it has timed out. */
async function subscribe(timeout) {
	const sent = [];
	/** Answers in place of the service: no network is needed. */
	const answer = async (url, { method }) => {
		sent.push(method.toUpperCase());
		const { pathname } = new URL(url);
		if (pathname.endsWith('/status')) await sleep(POLL_TAKES_MS);
		const status = pathname.endsWith('/status') ? 'IN_PROGRESS' : 'IN_QUEUE';
		return Response.json({ request_id: 'request-1', status, queue_position: 0 });
	};
	const client = createFalClient({ credentials: 'none', fetch: answer });
	const options = { input: {}, timeout, pollInterval: 400 };
	const outcome = await client.subscribe('owner/model', options).catch(({ message }) => message);
	await sleep(50); // the cancellation
	const before = sent.length;
	await sleep(3_000);
	return { outcome, canceled: sent.includes('PUT'), pollsAfterwards: sent.length - before };
}

// Polls are under way from 0 to 600 ms and from 1,000 to 1,600 ms. In between, the client waits.
const seen = { 'while it waits': await subscribe(800), 'while a poll is under way': await subscribe(300) };

const [waiting, polling] = Object.values(seen);
const same = waiting.canceled && polling.canceled && waiting.pollsAfterwards === 0 && polling.pollsAfterwards >= 2;
console.log(`@fal-ai/client ${version}`);
console.log('expected: no poll after the timeout, whenever it comes');
for (const [when, { outcome, canceled, pollsAfterwards }] of Object.entries(seen)) {
	console.log(`seen:     ${when}: "${outcome}"; canceled: ${canceled}; polls in the next 3 s: ${pollsAfterwards}`);
}
console.log(same ? 'as recorded' : 'changed; recorded was no poll, then at least 2');
process.exit(same ? 0 : 1);
JS
node try.mjs
