/** Stores an input: reserves quota first, if the deployment has quotas, then stores the bytes. A failure undoes both. */
import { defined } from '../../core/defined.ts';
import type { AcceptTerms } from '../../core/job/object-api.ts';
import type { StoredInput } from '../../core/job/record.ts';
import { discardUpload, TooLarge, upload } from '../../rpc/upload.ts';
import { tooLarge } from '../body.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import type { DraftInput } from './draft.ts';
import { outgrown, type Reservation, releaseReservation, reserveRoom, resizeReservation } from './quota.ts';

export interface StoredSubmission {
	readonly input: StoredInput;
	readonly reservation?: string;
	/** Conditions for the acceptance of the job. */
	readonly terms: AcceptTerms;
	/** Why no new job has room. A replay of an accepted job needs no room. */
	readonly noRoom?: Problem;
	/** Discards the input and the reservation when the submission created no job. */
	readonly takeBack: () => Promise<unknown>;
}

/**
 * @param id the job's id.
 * @param isKeyed whether it may be a replay. Then the job's object decides whether quota is needed.
 */
export async function storeInput(
	context: RequestContext,
	id: string,
	draft: DraftInput,
	isKeyed: boolean,
): Promise<StoredSubmission> {
	const { sizeBytes, maxBytes } = draft;
	const place = await reserveRoom(context, id, { bytes: sizeBytes ?? maxBytes, isUpTo: sizeBytes === undefined });
	if (place instanceof Problem) {
		if (!isKeyed) throw place;
		return { input: await seen(draft), terms: { isReplayOnly: true }, noRoom: place, takeBack: async () => {} };
	}
	const input = await storeIn(context, id, draft, place);
	const takeBack = () => Promise.all([discardUpload(context.jobs, id, input), releaseReservation(context, place)]);
	if (!place) return { input, terms: {}, takeBack };
	return { input, reservation: place.reservation, terms: { acceptBy: place.acceptBy }, takeBack };
}

/** Stores the input, or releases its reservation. */
async function storeIn(
	context: RequestContext,
	id: string,
	draft: DraftInput,
	place?: Reservation,
): Promise<StoredInput> {
	try {
		const isBounded = place !== undefined && draft.sizeBytes === undefined;
		const input = await storeDraft(context, id, draft, isBounded ? place.bytes : draft.maxBytes);
		if (place) await resize(context, id, place, input);
		return input;
	} catch (error) {
		await releaseReservation(context, place);
		throw error;
	}
}

async function storeDraft(
	context: RequestContext,
	id: string,
	draft: DraftInput,
	maxBytes: number,
): Promise<StoredInput> {
	const { form, mediaType, onBytes, pieces } = draft;
	try {
		const options = defined({ jobs: context.jobs, id, mediaType, maxBytes, onBytes });
		return { ...(await upload(pieces(), options)), form };
	} catch (error) {
		if (!(error instanceof TooLarge)) throw error;
		throw maxBytes < draft.maxBytes ? outgrown(context, maxBytes) : tooLarge(maxBytes);
	}
}

async function resize(context: RequestContext, id: string, place: Reservation, input: StoredInput): Promise<void> {
	try {
		await resizeReservation(context, id, place, input.sizeBytes);
	} catch (error) {
		await discardUpload(context.jobs, id, input);
		throw error;
	}
}

/** Reads an input without storing it, to compute its size and digest. */
async function seen({ form, mediaType, maxBytes, pieces, onBytes }: DraftInput): Promise<StoredInput> {
	let sizeBytes = 0;
	for await (const bytes of pieces()) {
		sizeBytes += bytes.byteLength;
		if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
		onBytes?.(bytes);
	}
	return { form, mediaType, sizeBytes, inline: new Uint8Array() };
}
