/** Prints the demo's HTTP exchanges, and a progress bar that moves with each event. */
import { styleText } from 'node:util';
import { ProgressDisplay } from '../cli/terminal/output.ts';
import { renderTable } from '../cli/terminal/table.ts';

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

let display: ProgressDisplay | undefined;

/** Shows one event of a job. On a terminal the bar stays in its line; otherwise each event has its own line. */
export function progressBar({
	type,
	job,
}: {
	type: string;
	job: { percentComplete?: number; progress?: { message?: string } };
}): void {
	display ??= new ProgressDisplay(process.stdout);
	display.show({ type, percent: job.percentComplete ?? 0, message: job.progress?.message });
}

export function endOfBar(): void {
	display?.end();
	display = undefined;
	console.log();
}

export function table(rows: readonly (readonly string[])[]): void {
	for (const line of renderTable(rows)) console.log(`  ${line}`);
}

function abbreviated(text: string): string {
	return text.replace(TOKEN, 'token=…');
}
