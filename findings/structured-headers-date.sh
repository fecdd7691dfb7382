#!/usr/bin/env bash
# structured-headers 2.1.0: a Date can only be the last thing in a field.
#
# RFC 9651, section 3.3.7, makes @1 an item like any other: parameters, list members and dictionary members may follow
# it, as they may follow the integer 1.
set -euo pipefail
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cd "$dir"
npm install --silent --no-audit --no-fund --prefix . structured-headers@2.1.0

cat > try.mjs <<'JS'
import { readFileSync } from 'node:fs';
import { parseDictionary, parseItem, parseList } from 'structured-headers';

const { version } = JSON.parse(readFileSync('node_modules/structured-headers/package.json', 'utf8'));
const fields = [
	[parseItem, '@1767225600'],
	[parseItem, '@1767225600;final'],
	[parseItem, '"key-1";until=@1767225600'],
	[parseItem, '"key-1";until=@1767225600;replay'],
	[parseList, '@1767225600, @1767229200'],
	[parseDictionary, 'from=@1767225600, until=@1767229200'],
	[parseDictionary, 'from=1767225600, until=1767229200'],
];

const seen = fields.map(([parse, field]) => {
	try {
		parse(field);
		return 'read';
	} catch {
		return 'refused';
	}
});

const recorded = ['read', 'refused', 'read', 'refused', 'refused', 'refused', 'read'];
const same = JSON.stringify(seen) === JSON.stringify(recorded);
console.log(`structured-headers ${version}`);
console.log('expected: each of these fields is read');
for (const [index, [parse, field]] of fields.entries()) console.log(`seen:     ${parse.name} of ${field}: ${seen[index]}`);
console.log(same ? 'as recorded' : `changed; recorded was ${JSON.stringify(recorded)}`);
process.exit(same ? 0 : 1);
JS
node try.mjs
