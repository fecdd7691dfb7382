/**
 * Loaded before every test file. A wait for a condition ends when the condition holds. Its limit only has to detect a hang.
 * A short limit would make a test fail because the machine is busy.
 */
import { expect, vi } from 'vitest';

/** Longer than a job may take that loses an attempt with its consumer: it notices that within a minute. */
const LEAST_LIMIT_MS = 90_000;

interface Limits {
	readonly timeout?: number;
	readonly interval?: number;
}

function patient<Options extends Limits>(options: number | Options | undefined) {
	const given = typeof options === 'number' ? { timeout: options } : options;
	return { ...given, timeout: Math.max(LEAST_LIMIT_MS, given?.timeout ?? 0) };
}

const { waitFor, waitUntil } = vi;
vi.waitFor = (callback, options) => waitFor(callback, patient(options));
vi.waitUntil = (callback, options) => waitUntil(callback, patient(options));

const { poll } = expect;
expect.poll = (callback, options) => poll(callback, patient(options));
