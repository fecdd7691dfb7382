/** Decides whether a reader may see a job or a batch. Pure. */

/** The reader of a job or a batch, as the Worker identified it. */
export interface Reader {
	/** Left out for the bearer of a token. */
	readonly tenant?: string | undefined;
	/**
	 * The creation time that the reader's token was signed for. A link to an earlier job of the same idempotency key
	 * therefore doesn't open a later one.
	 */
	readonly createdAt?: number | undefined;
}

/** The tenant must match, and a token must be for this job or batch. Otherwise it doesn't exist for the reader. */
export function isVisibleTo({ tenant, createdAt }: Reader, owned: { tenant: string; createdAt: number }): boolean {
	// A reader without a tenant is the bearer of a token, which was signed for this id and a creation time.
	const isReaders = tenant === undefined ? createdAt !== undefined : owned.tenant === tenant;
	return isReaders && (createdAt ?? owned.createdAt) === owned.createdAt;
}
