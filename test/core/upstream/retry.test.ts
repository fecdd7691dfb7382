import { describe, expect, it } from 'vitest';
import { isRepeatable, isRetried, isWell } from '../../../src/core/upstream/retry.ts';

const STATUSES = [200, 204, 304, 400, 401, 404, 408, 409, 422, 425, 429, 500, 501, 502, 503, 504, 505];
const retried = (method: string, resend = false) =>
	STATUSES.filter((status) => isRetried(status, isRepeatable(method, resend)));

describe('what is retried', () => {
	it('is every failure that may pass, for a method that does no more when sent twice (RFC 9110 §9.2.2)', () => {
		for (const method of ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])
			expect(retried(method), method).toEqual([408, 425, 429, 500, 502, 503, 504]);
	});

	it('is only what was refused before it began, for any other method', () => {
		for (const method of ['POST', 'PATCH', 'PROPPATCH']) expect(retried(method), method).toEqual([429, 503]);
	});

	it('is as much for any other method when the upstream is said to stand it', () => {
		expect(retried('POST', true)).toEqual(retried('GET'));
	});
});

describe('isWell', () => {
	it('is about the upstream, not about the request', () => {
		expect(STATUSES.filter((status) => isWell(status) === false)).toEqual([429, 502, 503, 504]);
	});

	it('is not said by an error that the request itself may have caused', () => {
		expect(STATUSES.filter((status) => isWell(status) === undefined)).toEqual([408, 500, 501, 505]);
	});
});
