import { cloudflareTest } from '@cloudflare/vitest-plugin';
import { defineConfig } from 'vitest/config';

/** What runs in Node: the Worker as a whole behind a real port, and clients that know nothing of it. */
const BLACK_BOX = ['test/clients/**', 'test/local/**'];

export default defineConfig({
	test: {
		projects: [
			{
				plugins: [cloudflareTest({ wrangler: { configPath: './wrangler.toml' } })],
				test: { name: 'workerd', include: ['test/**/*.test.ts'], exclude: BLACK_BOX, testTimeout: 20_000 },
			},
			{
				test: {
					name: 'node',
					include: BLACK_BOX.map((glob) => `${glob}/*.test.ts`),
					testTimeout: 60_000,
					hookTimeout: 60_000,
				},
			},
		],
	},
});
