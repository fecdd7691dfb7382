const MS_PER_SECOND = 1_000;
export function retryAfterMs(header: string | null, now: number): number | undefined {
	if (header === null) return undefined;
	if (/^\s*\d+\s*$/.test(header)) return Number(header) * MS_PER_SECOND;
	const at = /^[A-Z][a-z]+,? /.test(header) ? Date.parse(header) : Number.NaN;
	return Number.isNaN(at) ? undefined : Math.max(0, at - now);
}
