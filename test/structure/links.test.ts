import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from './style.ts';

const PAGES = [
	...['README.md', 'CONTRIBUTING.md', 'SECURITY.md', 'CHANGELOG.md', 'bench/README.md', 'demo/data/README.md'],
	...readdirSync(join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
		.filter((name) => name.endsWith('.md'))
		.map((name) => `docs/${name}`),
];

/** The headings of a page, as GitHub makes anchors of them. */
function readAnchors(path: string): string[] {
	const headings = [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)];
	return headings.map(([, heading = '']) =>
		heading
			.toLowerCase()
			.replace(/[^\p{L}\p{N}_ -]/gu, '')
			.replaceAll(' ', '-'),
	);
}

it.each(PAGES)('each link of %s leads to a file, and to a heading that it has', (page) => {
	const links = [...readFileSync(join(ROOT, page), 'utf8').matchAll(/\]\((?!https?:)([^)\s#]*)(?:#([^)\s]+))?\)/g)];
	const broken = links.filter(([, file = '', anchor]) => {
		const target = file === '' ? join(ROOT, page) : join(ROOT, dirname(page), file);
		return !existsSync(target) || (anchor !== undefined && !readAnchors(target).includes(anchor));
	});
	expect(broken.map(([link]) => link)).toEqual([]);
});
