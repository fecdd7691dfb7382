#!/usr/bin/env bash
# stripe 23.1.0: a 503 or 429 whose JSON body has no member `error` is returned as a successful result.
#
# RFC 9110, section 15: the status code says whether a request succeeded. A gateway in front of an API answers a refusal
# with its own body, often a problem document (RFC 9457). The client looks at the body alone.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . stripe@23.1.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import Stripe from 'stripe';

const { version } = JSON.parse(readFileSync('node_modules/stripe/package.json', 'utf8'));
let answer;
const server = createServer((request, response) => {
	request.resume();
	response.writeHead(answer.status, { 'content-type': answer.type }).end(JSON.stringify(answer.body));
});
await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
const place = { protocol: 'http', host: '127.0.0.1', port: server.address().port };
const stripe = new Stripe('none', { ...place, maxNetworkRetries: 0, telemetry: false });

const problem = { type: 'application/problem+json', body: { title: 'Service overloaded' } };
const own = { type: 'application/json', body: { error: { type: 'api_error', message: 'Service overloaded' } } };
const seen = {};
for (const [name, sent] of Object.entries({ 'its own format': own, 'a problem document': problem })) {
	for (const status of [429, 500, 503]) {
		answer = { status, ...sent };
		const outcome = await stripe.charges.create({ amount: 100, currency: 'eur' }).then(
			(charge) => `resolved to a charge with the title "${charge.title}"`,
			(error) => `rejected, ${error.statusCode}`,
		);
		seen[`${status} with ${name}`] = outcome;
	}
}

const resolved = 'resolved to a charge with the title "Service overloaded"';
const recorded = {
	'429 with its own format': 'rejected, 429',
	'500 with its own format': 'rejected, 500',
	'503 with its own format': 'rejected, 503',
	'429 with a problem document': resolved,
	'500 with a problem document': resolved,
	'503 with a problem document': resolved,
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`stripe ${version}`);
console.log('expected: each of the six is rejected');
for (const [name, outcome] of Object.entries(seen)) console.log(`seen:     ${name}: ${outcome}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
