import { isText, type Payload } from '../pure/payload.ts';
import { sendChecked } from './api.ts';

export async function readPayload(url: string): Promise<Payload> {
	const response = await sendChecked(url);
	const mediaType = response.headers.get('content-type') ?? '';
	const blob = await response.blob();
	return isText(mediaType) ? { mediaType, blob, text: await blob.text() } : { mediaType, blob };
}

/** The policy allows images as data, and no blobs. */
export function toDataUrl(blob: Blob): Promise<string> {
	return new Promise((resolve, reject) => {
		const reader = new FileReader();
		reader.onload = () => resolve(String(reader.result));
		reader.onerror = () => reject(reader.error);
		reader.readAsDataURL(blob);
	});
}
