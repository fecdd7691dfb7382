#!/usr/bin/env bash
# http-link-header 1.1.4, li 1.3.0, parse-link-header 2.0.0: each loses the relation of a link that the standard allows.
#
# RFC 8288, section 3: there may be spaces around the semicolons, a parameter may have no value, its name is
# case-insensitive, and a quoted value may contain a semicolon. The link with which a service names a job's status is
# then missing, and no parser says so.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . http-link-header@1.1.4 li@1.3.0 parse-link-header@2.0.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import LinkHeader from 'http-link-header';
import li from 'li';
import parseLinkHeader from 'parse-link-header';

/** Each gives the target of the relation "monitor", if the parser finds it. */
const parsers = {
	'http-link-header': (field) => LinkHeader.parse(field).rel('monitor')[0]?.uri,
	li: (field) => li.parse(field).monitor,
	'parse-link-header': (field) => parseLinkHeader(field)?.monitor?.url,
};
const fields = {
	plain: '</jobs/1>; rel="monitor"',
	'space before a semicolon': '</jobs/1> ; rel="monitor"',
	'parameter without value': '</jobs/1>; crossorigin; rel="monitor"',
	'name in capitals': '</jobs/1>; Rel="monitor"',
	'semicolon in quotes': '</jobs/1>; rel="monitor"; title="a; rel=b"',
};

const seen = {};
for (const [name, find] of Object.entries(parsers)) {
	const { version } = JSON.parse(readFileSync(`node_modules/${name}/package.json`, 'utf8'));
	console.log(`${name} ${version}`);
	seen[name] = Object.entries(fields)
		.filter(([, field]) => find(field) !== '/jobs/1')
		.map(([kind]) => kind);
}

const recorded = {
	'http-link-header': ['parameter without value'],
	li: ['space before a semicolon', 'parameter without value', 'name in capitals'],
	'parse-link-header': ['name in capitals', 'semicolon in quotes'],
};
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log('expected: each finds /jobs/1 for "monitor" in each of these');
for (const [kind, field] of Object.entries(fields)) console.log(`          Link: ${field} (${kind})`);
for (const [name, lost] of Object.entries(seen)) console.log(`seen:     ${name} does not find it with: ${lost.join(', ')}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
