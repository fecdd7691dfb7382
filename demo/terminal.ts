/** Prints the demo's HTTP exchanges, and a progress bar that moves with each event. */
import { styleText } from 'node:util';

const BAR_CELLS = 30;
/** Tokens are shortened, because they are long and mean nothing to a reader. */
const TOKEN = /token=[^&"\s>]+/g;

const dim = (text: string) => styleText('dim', text);
const bold = (text: string) => styleText('bold', text);

export function heading(text: string): void {
	console.log(`\n${bold(text)}\n`);
}

export function request(method: string, url: string, ...headers: string[]): void {
	console.log(bold(`> ${method} ${abbreviated(url)}`));
	for (const header of headers) console.log(`> ${header}`);
}

/** Prints the status line and the headers that matter, in the order named. */
export function response({ status, statusText, headers }: Response, ...names: string[]): void {
	console.log(styleText(status < 400 ? 'green' : 'red', `< ${status} ${statusText}`));
	for (const name of names) {
		const value = headers.get(name);
		if (value !== null) console.log(`< ${name}: ${abbreviated(value)}`);
	}
	console.log();
}

export function note(text: string): void {
	console.log(dim(abbreviated(text)));
}

/** Shows one event of a job. On a terminal the bar stays in its line; otherwise each event has its own line. */
export function progressBar({
	type,
	job,
}: {
	type: string;
	job: { percentComplete?: number; progress?: { message?: string } };
}): void {
	const percent = job.percentComplete ?? 0;
	const filled = Math.round((percent / 100) * BAR_CELLS);
	const bar = styleText('cyan', '█'.repeat(filled)) + dim('░'.repeat(BAR_CELLS - filled));
	const line = `  ${bar} ${String(Math.round(percent)).padStart(3)} %  ${type.padEnd(9)} ${dim(job.progress?.message ?? '')}`;
	if (process.stdout.isTTY) process.stdout.write(`\r\u001b[K${line}`);
	else console.log(line);
}

export function endOfBar(): void {
	if (process.stdout.isTTY) console.log();
	console.log();
}

export function table(rows: readonly (readonly string[])[]): void {
	const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
	for (const row of rows) console.log(`  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`);
}

function abbreviated(text: string): string {
	return text.replace(TOKEN, 'token=…');
}
