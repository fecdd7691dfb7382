/** `npm run screenshots` makes the pictures of `docs/dashboard.md` from a deployment on this machine. */
import { mkdir } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { type Dashboard, startDashboard } from './dashboard.ts';
import { startFakeUpstream } from './upstream.ts';

const FOLDER = fileURLToPath(new URL('../../docs/dashboard/', import.meta.url));
const SIZE = { width: 1200, height: 800 };
/** Few colours keep a picture of text small. */
const COLOURS = 64;

async function main(): Promise<void> {
	await mkdir(FOLDER, { recursive: true });
	const upstream = await startFakeUpstream();
	const upstreams = { report: { baseUrl: upstream.origin }, billing: { baseUrl: upstream.origin } };
	const dashboard = await startDashboard({ UPSTREAMS: JSON.stringify(upstreams) });
	try {
		const jobs = await fill(dashboard, `${upstream.origin}/hook`);
		await take(dashboard, { path: '/', name: 'overview' });
		await take(dashboard, { path: '/jobs?tag=printing', name: 'list' });
		await take(dashboard, { path: `/jobs/${jobs.running}`, name: 'running', colorScheme: 'dark' });
		await take(dashboard, { path: `/jobs/${jobs.failed}`, name: 'failed' });
		await take(dashboard, { path: `/jobs/${jobs.succeeded}/wire`, name: 'wire' });
	} finally {
		await dashboard.stop();
		await upstream.stop();
	}
}

/** Submits what a deployment may have at work. */
async function fill(dashboard: Dashboard, hook: string): Promise<Record<'running' | 'failed' | 'succeeded', string>> {
	const printing = { 'coatcheck-tags': 'printing' };
	const fire = { seconds: 0.1, error: { code: 'PrinterOnFire', message: 'The printer in room 4 is on fire' } };
	const paper = { seconds: 0.2, error: { code: 'OutOfPaper', message: 'Tray 2 is empty' } };
	const inputs = Array.from(
		{ length: 24 },
		(_, index) => [{ seconds: index / 20 }, paper, fire][index % 5] ?? { seconds: 0.1 },
	);
	const submitted = await Promise.all(inputs.map((input) => dashboard.submit(input, printing)));
	for (let index = 0; index < 6; index++)
		await dashboard.send('/v1/upstreams/billing/fails', { method: 'POST', body: '{}' });
	const failed = await dashboard.submit(
		{ seconds: 1, failAttempts: 2 },
		{ ...printing, 'coatcheck-max-attempts': '2', 'coatcheck-webhook-url': hook },
	);
	const succeeded = await dashboard.submit({ seconds: 0.5 }, { ...printing, 'coatcheck-webhook-url': hook });
	for (const { id } of [...submitted, failed, succeeded]) await dashboard.ended(id);
	const running = await dashboard.submit(
		{ seconds: 60, steps: 60, failAttempts: 1 },
		{ 'coatcheck-tags': 'nightly, eu' },
	);
	return { running: running.id, failed: failed.id, succeeded: succeeded.id };
}

interface Picture {
	readonly path: string;
	readonly name: string;
	readonly colorScheme?: 'light' | 'dark';
}

async function take(dashboard: Dashboard, { path, name, colorScheme = 'light' }: Picture): Promise<void> {
	const page = await dashboard.open(path, { viewport: SIZE, colorScheme });
	const show = page.getByRole('button', { name: 'Show input' });
	await page.waitForTimeout(4_000);
	if (await show.isVisible()) await show.click();
	await page.waitForTimeout(500);
	await sharp(await page.screenshot())
		.png({ palette: true, colours: COLOURS, effort: 10 })
		.toFile(`${FOLDER}${name}.png`);
	await page.context().close();
	console.log(`docs/dashboard/${name}.png`);
}

await main();
