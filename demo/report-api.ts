/**
 * A slow API, like many existing ones: `POST /reports` takes some seconds and answers with a CSV. It is independent of Coatcheck.
 *
 *     node demo/report-api.ts <port>
 */
import { createServer } from 'node:http';

const ROWS = 2_000;
const ROWS_A_PIECE = 200;
/** Delay before the first byte, then the delay between two pieces. */
const THINKING_MS = 2_000;
const PIECE_MS = 250;

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));
const rowOf = (month: string, row: number) =>
	`${month},${String(row).padStart(4, '0')},${((row * 7919) % 10_000) / 100}\n`;

createServer(async (request, response) => {
	if (request.method !== 'POST' || request.url !== '/reports') return void response.writeHead(404).end();
	if (request.headers['x-report-key'] !== 'local-only')
		return void response.writeHead(401).end('A valid X-Report-Key is required\n');
	let text = '';
	for await (const piece of request) text += piece;
	const { month = '2026-10' } = JSON.parse(text || '{}') as { month?: string };
	console.log(`POST /reports for ${month}, attempt ${request.headers['coatcheck-attempt'] ?? '–'}`);
	await wait(THINKING_MS);
	const rows = Array.from({ length: ROWS }, (_, row) => rowOf(month, row));
	const report = ['month,order,total\n', ...rows];
	response.writeHead(200, {
		'content-type': 'text/csv',
		'content-length': Buffer.byteLength(report.join('')),
		'content-disposition': `attachment; filename="report-${month}.csv"`,
	});
	for (let row = 0; row < report.length; row += ROWS_A_PIECE) {
		response.write(report.slice(row, row + ROWS_A_PIECE).join(''));
		await wait(PIECE_MS);
	}
	response.end();
}).listen(Number(process.argv[2]), '127.0.0.1');
