import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { signToken, TOKEN_RIGHTS, type TokenGrant, verifyToken } from '../../src/token/token.ts';

const KEY = Buffer.from('coatcheck-local-development-only');
const KEYS = new Map([['local', KEY]]);
const JOB = 'b41c'.repeat(16);
const BIRTH = Date.UTC(2026, 9, 1);
const FAR = Date.UTC(2050, 0, 1);

/** Signed by version 0.1.0 itself, for `JOB` of tenant `acme`, with the key of local development. */
const OF_0_1_0 = {
	reader:
		'eyJhbGciOiJIUzI1NiIsImtpZCI6ImxvY2FsIn0.eyJ0ZW5hbnQiOiJhY21lIiwic2NvcGUiOiJyZWFkIGNhbmNlbCIsImNyZWF0ZWRBdCI6MTc5MDgxMjgwMDAwMCwic3ViIjoiYjQxY2I0MWNiNDFjYjQxY2I0MWNiNDFjYjQxY2I0MWNiNDFjYjQxY2I0MWNiNDFjYjQxY2I0MWNiNDFjYjQxYyIsImV4cCI6NDA3MDkwODgwMH0.fkhco22HHaCUuuGnUNwtO3R8jzTDT1zNVg3m6Yyrk6E',
	worker:
		'eyJhbGciOiJIUzI1NiIsImtpZCI6ImxvY2FsIn0.eyJ0ZW5hbnQiOiJhY21lIiwic2NvcGUiOiJjb21wbGV0ZSIsImNyZWF0ZWRBdCI6MTc5MDgxMjgwMDAwMCwiZXBvY2giOjIsImF0dGVtcHQiOjMsInN1YiI6ImI0MWNiNDFjYjQxY2I0MWNiNDFjYjQxY2I0MWNiNDFjYjQxY2I0MWNiNDFjYjQxY2I0MWNiNDFjYjQxY2I0MWMiLCJleHAiOjQwNzA5MDg4MDB9.G9MF5dbhdOpoyQ0OIA_FynaO_4gY95fJK1gTKF3TZys',
};

function sign(grant: Partial<TokenGrant> = {}, keys: ReadonlyMap<string, Uint8Array> = KEYS): string {
	return signToken(keys, { job: JOB, createdAt: BIRTH, right: 'read', expiresAt: FAR, ...grant }) ?? '';
}

const grants = fc.record({
	job: fc.constantFrom(JOB, 'f'.repeat(64)),
	createdAt: fc.integer({ min: Date.UTC(2025, 0, 1), max: Date.UTC(2055, 0, 1) }),
	right: fc.constantFrom('read', 'cancel'),
	expiresAt: fc.integer({ min: Date.UTC(2027, 0, 1), max: Date.UTC(2055, 0, 1) }),
}) satisfies fc.Arbitrary<TokenGrant>;

describe("a link's token", () => {
	it('has 34 characters, and one for an attempt 42', () => {
		expect(sign()).toHaveLength(34);
		expect(sign({ right: 'complete', fence: { epoch: 1, attempt: 1 } })).toHaveLength(42);
	});

	it('says what it was signed for, and lasts to the end of its last minute', async () => {
		await fc.assert(
			fc.asyncProperty(grants, async (grant) => {
				const claims = await verifyToken(KEYS, sign(grant), grant.job);
				const { job, createdAt, right } = grant;
				expect(claims).toMatchObject({ job, createdAt, right });
				expect(claims?.expiresAt).toBe(Math.ceil(grant.expiresAt / 60_000) * 60_000);
			}),
		);
	});

	it('carries the whole fence of an attempt', async () => {
		const fence = { epoch: 70_000, attempt: 50, createdAt: BIRTH };
		expect(await verifyToken(KEYS, sign({ right: 'complete', fence }), JOB)).toMatchObject({ fence });
	});

	it('is blotted out in logs: at least two capitals, two small letters and two digits', () => {
		fc.assert(
			fc.property(grants, (grant) => {
				const counts = [/[A-Z]/g, /[a-z]/g, /[0-9]/g].map((kind) => sign(grant).match(kind)?.length ?? 0);
				expect(Math.min(...counts)).toBeGreaterThanOrEqual(2);
			}),
			{ numRuns: 3_000 },
		);
	});

	it('is good for no other job, right, time or spelling', async () => {
		const token = sign();
		expect(await verifyToken(KEYS, token, JOB)).toBeDefined();
		expect(await verifyToken(KEYS, token, 'f'.repeat(64))).toBeUndefined();
		for (let index = 0; index < token.length; index++) {
			for (const char of ['A', 'z', '-']) {
				const changed = token.slice(0, index) + char + token.slice(index + 1);
				if (changed !== token) expect(await verifyToken(KEYS, changed, JOB), changed).toBeUndefined();
			}
		}
		for (const other of ['', `${token}=`, ` ${token}`, token.slice(0, -1), `${token}A`, 'A'.repeat(34)])
			expect(await verifyToken(KEYS, other, JOB), other).toBeUndefined();
	});

	it('is good as long as any key is known that it may be signed with, and is signed with the first', async () => {
		const fresh = new Uint8Array(32).fill(7);
		const both = new Map([
			['fresh', fresh],
			['local', KEY],
		]);
		expect(await verifyToken(both, sign(), JOB)).toBeDefined();
		expect(await verifyToken(new Map([['fresh', fresh]]), sign(), JOB)).toBeUndefined();
		expect(await verifyToken(new Map([['fresh', fresh]]), sign({}, both), JOB)).toBeDefined();
	});

	it('has expired when its time is over', async () => {
		expect(await verifyToken(KEYS, sign({ expiresAt: Date.now() - 60_000 }), JOB)).toBeUndefined();
	});

	it('has expired when its time is over, even where it was valid before', async () => {
		for (const token of [sign(), OF_0_1_0.reader]) {
			const claims = await verifyToken(KEYS, token, JOB);
			const clock = vi.spyOn(Date, 'now').mockReturnValue(claims?.expiresAt ?? 0);
			onTestFinished(() => clock.mockRestore());
			expect(await verifyToken(KEYS, token, JOB)).toBeUndefined();
			clock.mockRestore();
			expect(await verifyToken(KEYS, token, JOB)).toEqual(claims);
		}
	});

	it('is good with the keys that it was verified with, and no others', async () => {
		const token = sign();
		expect(await verifyToken(KEYS, token, JOB)).toBeDefined();
		expect(await verifyToken(new Map([['local', new Uint8Array(32)]]), token, JOB)).toBeUndefined();
	});

	it('says nothing about the tenant or the job', () => {
		const bytes = Buffer.from(sign(), 'base64url').toString('latin1');
		expect(bytes).not.toContain('acme');
		expect(TOKEN_RIGHTS).toEqual(['read', 'cancel', 'complete']);
	});
});

describe('a token that version 0.1.0 signed', () => {
	it('keeps what it promised', async () => {
		const reader = await verifyToken(KEYS, OF_0_1_0.reader, JOB);
		expect(reader).toMatchObject({ job: JOB, createdAt: BIRTH, legacy: { tenant: 'acme' } });
		expect([...(reader?.scopes ?? [])]).toEqual(['read', 'cancel']);
		const fence = { epoch: 2, attempt: 3, createdAt: BIRTH };
		expect(await verifyToken(KEYS, OF_0_1_0.worker, JOB)).toMatchObject({ fence, legacy: { tenant: 'acme' } });
	});

	it.each(TOKEN_RIGHTS)('is not good when it was changed (%s)', async (right) => {
		const [head, , signature] = OF_0_1_0.reader.split('.');
		const claims = Buffer.from(JSON.stringify({ tenant: 'acme', scope: right, sub: JOB, exp: 4_070_908_800 }));
		const changed = [head, claims.toString('base64url'), signature].join('.');
		expect(await verifyToken(KEYS, changed, JOB)).toBeUndefined();
	});
});
