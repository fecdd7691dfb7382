/**
 * Loaded before every test file. A wait for a condition ends when the condition holds. Its limit only has to detect a hang.
 * A short limit would make a test fail because the machine is busy.
 */
import { vi } from 'vitest';

const LEAST_LIMIT_MS = 30_000;

type Options = Parameters<typeof vi.waitFor>[1];

function patient(options: Options = {}): Options {
	const given = typeof options === 'number' ? { timeout: options } : options;
	return { ...given, timeout: Math.max(LEAST_LIMIT_MS, given.timeout ?? 0) };
}

const { waitFor, waitUntil } = vi;
vi.waitFor = (callback, options) => waitFor(callback, patient(options));
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options));
