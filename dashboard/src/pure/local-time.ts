/** Times of a `datetime-local` field, which has no time zone and means the reader's. */

/** @returns an empty text for what is not a time. */
export function toLocalInput(at: string): string {
	const date = new Date(at);
	if (Number.isNaN(date.getTime())) return '';
	const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000);
	return local.toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length);
}

export function fromLocalInput(text: string): string {
	const date = new Date(text);
	return text === '' || Number.isNaN(date.getTime()) ? text : date.toISOString();
}
