/** Starts the Worker and the example page. */
import { fileURLToPath } from 'node:url';
import { createServer } from 'vite';
import { startLocalWorker } from '../local-worker.ts';

const PAGE = 'http://localhost:5173';
const FOLDER = fileURLToPath(new URL('.', import.meta.url));

const worker = await startLocalWorker({ args: ['--var', `CORS_ORIGINS:${PAGE}`] });
const page = await createServer({
	root: FOLDER,
	configFile: false,
	envDir: false,
	define: { COATCHECK_URL: JSON.stringify(worker.origin) },
	server: { port: Number(new URL(PAGE).port), strictPort: true },
});
await page.listen();
console.log(`Open ${PAGE}. Press Ctrl+C to stop.`);
process.once('SIGINT', async () => {
	await page.close();
	await worker.stop();
	process.exit();
});
