import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { routeOf } from '../../dashboard/src/pure/route.ts';
import { buildDashboard } from '../../deploy/dashboard.ts';
import { isPage } from '../../src/http/dashboard.ts';
import { ROOT } from './style.ts';

const SOURCE = join(ROOT, 'dashboard/src');
const MAX_GZIPPED_BYTES = 60 * 1_024;

/** The packages that the page may load. */
const PACKAGES = ['@preact/signals', 'eventsource-parser', 'preact', 'preact/hooks'];
/** Rules: no browser, no clock. */
const PURE = 'pure/';

const FILES = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' }).filter((name) => /\.tsx?$/.test(name));

interface Import {
	readonly file: string;
	readonly isType: boolean;
	readonly target: string;
}

const IMPORTS: Import[] = FILES.flatMap((file) =>
	[...readFileSync(join(SOURCE, file), 'utf8').matchAll(/import (type )?[^;]*?'([^']+)';/g)].map(
		([, type, target = '']) => ({ file, isType: type !== undefined, target }),
	),
);

const pathOf = ({ file, target }: Import) => relative(ROOT, join(SOURCE, dirname(file), target));

let folder: string;

beforeAll(async () => {
	folder = mkdtempSync(join(tmpdir(), 'coatcheck-dashboard-'));
	await buildDashboard(folder);
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the dashboard', () => {
	it('loads at most 60 KiB gzipped for its first page', () => {
		const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
		const sizes = files.map(({ parentPath, name }) => gzipSync(readFileSync(join(parentPath, name))).byteLength);
		const bytes = sizes.reduce((sum, size) => sum + size, 0);
		expect(bytes).toBeGreaterThan(10 * 1_024);
		expect(bytes).toBeLessThanOrEqual(MAX_GZIPPED_BYTES);
	});

	it('has the path of no source in its scripts, whatever NODE_ENV says', () => {
		expect(process.env.NODE_ENV).toBe('test');
		const names = readdirSync(join(folder, 'assets')).filter((name) => name.endsWith('.js'));
		expect(names.length).toBeGreaterThan(0);
		for (const name of names) expect(readFileSync(join(folder, 'assets', name), 'utf8')).not.toContain('.tsx');
	});

	it('has a page without inline scripts or styles, and without other hosts', () => {
		const page = readFileSync(join(folder, 'index.html'), 'utf8');
		expect(page).not.toMatch(/<style|style=|<script(?![^>]*src="\/assets\/)|https?:/);
	});

	it('imports of the service only the types of the client', () => {
		const outside = IMPORTS.filter((entry) => entry.target.startsWith('.') && !pathOf(entry).startsWith('dashboard/'));
		expect(outside.length).toBeGreaterThan(0);
		expect(outside.filter((entry) => !entry.isType || pathOf(entry) !== 'src/client/index.ts')).toEqual([]);
	});

	it('imports no other packages', () => {
		const packages = IMPORTS.map(({ target }) => target).filter((target) => !target.startsWith('.'));
		expect([...new Set(packages)].sort()).toEqual(PACKAGES);
	});

	it('keeps its rules apart from the browser', () => {
		const pure = IMPORTS.filter(({ file, isType }) => file.startsWith(PURE) && !isType);
		expect(pure.filter((entry) => !pathOf(entry).startsWith(`dashboard/src/${PURE}`))).toEqual([]);
		const impure = FILES.filter((file) => file.startsWith(PURE)).filter((file) =>
			/\b(Date\.now|new Date\(\)|Math\.random|fetch\(|document\.|sessionStorage)/.test(
				readFileSync(join(SOURCE, file), 'utf8'),
			),
		);
		expect(impure).toEqual([]);
	});

	it('makes no HTML of a text', () => {
		const unsafe = FILES.filter((file) =>
			/innerHTML|outerHTML|insertAdjacent|document\.write|srcdoc/i.test(readFileSync(join(SOURCE, file), 'utf8')),
		);
		expect(unsafe).toEqual([]);
	});

	it.each([
		'/',
		'/jobs',
		'/jobs/1',
		'/jobs/1/wire',
		'/submit',
		'/submit/a',
		'/topics',
		'/topics/a',
		'/upstreams',
		'/actions',
		'/actions/1',
	])('%s is a page for the Worker and for the browser', (path) => {
		expect(isPage(new URL(path, 'https://jobs.example'))).toBe(true);
		expect(routeOf(path).page).not.toBe('unknown');
	});

	it.each(['/nowhere', '/jobs/1/2', '/upstreams/1', '/jobs/1/wire/2'])('%s is a page for neither', (path) => {
		expect(isPage(new URL(path, 'https://jobs.example'))).toBe(false);
		expect(routeOf(path).page).toBe('unknown');
	});
});
