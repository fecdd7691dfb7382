/**
 * Tells the list of jobs about new jobs, and then sends their messages. Each message says that its job is listed, and the attempt
 * says so in its report. The job then needs no alarm to tell the list itself (`../core/job/telling.ts`).
 */
import type { JobMessage } from '../core/job/message.ts';
import type { JobNews } from '../core/job/news.ts';
import { type Destination, type Sending, sendJobs } from './send.ts';

/** What the list is told, and by whom. */
export interface Listing {
	readonly news: JobNews;
	readonly teller: { readonly tell: (news: readonly JobNews[]) => Promise<boolean> };
}

/** The message of a new job. Without `listing`, the list is off. */
export interface NewJobSending extends Sending {
	readonly listing?: Listing | undefined;
}

/** Resolves when the list was told and the messages are sent, or were given up; never rejects. */
export async function tellAndSend(destination: Destination, sendings: readonly NewJobSending[]): Promise<void> {
	const listings = sendings.flatMap(({ listing }) => listing ?? []);
	const [first] = listings;
	// All of them have the same bindings. The first one's may be used, because its request is the one that sends.
	const isListed = first !== undefined && (await first.teller.tell(listings.map(({ news }) => news)));
	await sendJobs(
		destination,
		sendings.map(({ listing, ...sending }) => (listing && isListed ? markListed(sending) : sending)),
	);
}

function markListed({ message, ...rest }: Sending): Sending {
	return { ...rest, message: { ...message, listed: true } satisfies JobMessage };
}
