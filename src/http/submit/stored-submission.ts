/** Stores an input: reserves quota first, if the deployment has quotas, then stores the bytes. A failure undoes both. */
import { defined } from '../../core/defined.ts';
import type { AcceptTerms } from '../../core/job/object-api.ts';
import type { StoredInput } from '../../core/job/record.ts';
import { discardUpload, TooLarge, upload } from '../../rpc/upload.ts';
import { tooLarge } from '../body.ts';
import { Problem } from '../problem.ts';
import type { RequestContext } from '../request-context.ts';
import type { DraftInput } from './draft.ts';
import {
	outgrown,
	type Reservation,
	type ReservedJob,
	releaseReservation,
	reserveRoom,
	resizeReservation,
} from './quota.ts';
import type { Identity } from './submit.ts';

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

/** @param identity `isKeyed`: it may be a replay. Then the job's object decides whether quota is needed. */
export async function storeInput(
	context: RequestContext,
	{ id, isKeyed }: Identity,
	draft: DraftInput,
): Promise<StoredSubmission> {
	const { sizeBytes, maxBytes } = draft;
	const room = await reserveRoom(context, id, { bytes: sizeBytes ?? maxBytes, isUpTo: sizeBytes === undefined });
	if (room instanceof Problem) {
		if (!isKeyed) throw room;
		return { input: await readUnstored(draft), terms: { isReplayOnly: true }, noRoom: room, takeBack: async () => {} };
	}
	const input = await storeWithin(context, { id, room }, draft);
	const takeBack = () => Promise.all([discardUpload(context.jobs, id, input), releaseReservation(context, room)]);
	if (!room) return { input, terms: {}, takeBack };
	return { input, reservation: room.reservation, terms: { acceptBy: room.acceptBy }, takeBack };
}

/** The job whose input is stored, and its quota; `undefined` without quotas. */
interface Receiver {
	readonly id: string;
	readonly room: Reservation | undefined;
}

/** Stores the input, or releases its reservation. */
async function storeWithin(context: RequestContext, { id, room }: Receiver, draft: DraftInput): Promise<StoredInput> {
	try {
		const input = await uploadInput(context, { id, room }, draft);
		if (room) await resizeToInput(context, { id, room }, input);
		return input;
	} catch (error) {
		await releaseReservation(context, room);
		throw error;
	}
}

/** The quota's reservation is the limit of an input whose size is not known. */
async function uploadInput(
	{ jobs, config }: RequestContext,
	{ id, room }: Receiver,
	draft: DraftInput,
): Promise<StoredInput> {
	const { form, mediaType, onBytes, pieces, sizeBytes } = draft;
	const maxBytes = room !== undefined && sizeBytes === undefined ? room.bytes : draft.maxBytes;
	try {
		const options = defined({ jobs, id, mediaType, maxBytes, onBytes });
		return { ...(await upload(pieces(), options)), form };
	} catch (error) {
		if (!(error instanceof TooLarge)) throw error;
		throw maxBytes < draft.maxBytes ? outgrown({ config }, maxBytes) : tooLarge(maxBytes);
	}
}

async function resizeToInput(context: RequestContext, job: ReservedJob, input: StoredInput): Promise<void> {
	try {
		await resizeReservation(context, job, input.sizeBytes);
	} catch (error) {
		await discardUpload(context.jobs, job.id, input);
		throw error;
	}
}

/** Reads an input without storing it, to compute its size and digest. */
async function readUnstored({ form, mediaType, maxBytes, pieces, onBytes }: DraftInput): Promise<StoredInput> {
	let sizeBytes = 0;
	for await (const bytes of pieces()) {
		sizeBytes += bytes.byteLength;
		if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
		onBytes?.(bytes);
	}
	return { form, mediaType, sizeBytes, inline: new Uint8Array() };
}
