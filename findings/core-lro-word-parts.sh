#!/usr/bin/env bash
# @azure/core-lro 3.4.2: an operation whose status is "FailingOver" is reported as failed while it runs.
#
# Azure's page "Track asynchronous Azure operations" says that three values mean the end, Succeeded, Failed and Canceled,
# and that an unfinished operation has another value. The poller looks for "fail" and "succeeded" anywhere in the word.
# Version 2.7.2 compared whole words.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . @azure/core-lro@3.4.2 lro-2@npm:@azure/core-lro@2.7.2

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createHttpPoller as createPoller3 } from '@azure/core-lro';
import { createHttpPoller as createPoller2 } from 'lro-2';

/** The answers of a service: 202, then one status that is not final, then the end. No network is needed. */
function operationWith(status) {
	const answers = [status, 'Succeeded'].map((word) => ({ statusCode: 200, headers: {}, body: { status: word } }));
	const request = { url: '/start', method: 'POST' };
	const first = { statusCode: 202, headers: { 'operation-location': '/operations/1' }, body: {} };
	const response = (raw) => ({ flatResponse: raw.body, rawResponse: { ...raw, request } });
	return {
		sendInitialRequest: async () => response(first),
		sendPollRequest: async () => response(answers.shift()),
	};
}

const seen = {};
for (const [name, createPoller] of Object.entries({ '@azure/core-lro': createPoller3, 'lro-2': createPoller2 })) {
	const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
	seen[version] = {};
	for (const status of ['Running', 'FailingOver', 'PartiallySucceeded']) {
		const created = createPoller(operationWith(status), { intervalInMs: 1 });
		// Version 2 gives a promise of a poller, version 3 the poller itself.
		const poller = created.pollUntilDone ? created : await created;
		const result = await poller.pollUntilDone().catch(({ message }) => ({ status: message }));
		seen[version][status] = result.status;
	}
}

const goesOn = { Running: 'Succeeded', FailingOver: 'Succeeded', PartiallySucceeded: 'Succeeded' };
const recorded = {
	'3.4.2': { Running: 'Succeeded', FailingOver: 'The long-running operation has failed', PartiallySucceeded: 'PartiallySucceeded' },
	'2.7.2': goesOn,
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`expected: ${JSON.stringify(goesOn)}`);
for (const [version, outcomes] of Object.entries(seen)) console.log(`seen:     ${version} ${JSON.stringify(outcomes)}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
