import { useEffect, useMemo, useState } from 'preact/hooks';
import { formatBytes } from '../pure/format.ts';
import { hideSecrets, prettyJson } from '../pure/json-text.ts';
import { isImage, isText, MAX_SHOWN_CHARS, type Payload } from '../pure/payload.ts';
import { readPayload, toDataUrl } from '../state/read-payload.ts';
import { useCommand } from '../state/use-command.ts';
import { CopyButton } from './copy.tsx';
import { ProblemNote } from './problem.tsx';

/** An input or a result, read when it is asked for: it may be large. */
export function PayloadView({ url, what }: { readonly url: string; readonly what: string }) {
	const [payload, setPayload] = useState<Payload>();
	const load = useCommand(async () => setPayload(await readPayload(url)));
	return (
		<div class="payload">
			{!payload && (
				<button type="button" onClick={load.run} disabled={load.isRunning}>
					Show {what}
				</button>
			)}
			<ProblemNote error={load.error} />
			{payload && <LoadedPayload payload={payload} what={what} />}
		</div>
	);
}

function LoadedPayload({ payload, what }: { readonly payload: Payload; readonly what: string }) {
	const { mediaType, blob, text } = payload;
	return (
		<>
			<p class="quiet">
				<code>{mediaType || 'no content type'}</code> {formatBytes(blob.size)}{' '}
				<DownloadLink blob={blob} name={what.replace(/\W+/g, '-')} />
			</p>
			{text !== undefined && isText(mediaType) && <TextPayload text={text} what={what} />}
			{isImage(mediaType) && <ImagePayload blob={blob} what={what} />}
		</>
	);
}

/** A browser never shows such bytes as a page. */
const OPAQUE = 'application/octet-stream';

/** Its URL keeps the bytes in memory until it is revoked. */
function DownloadLink({ blob, name }: { readonly blob: Blob; readonly name: string }) {
	const url = useMemo(() => URL.createObjectURL(new Blob([blob], { type: OPAQUE })), [blob]);
	useEffect(() => () => URL.revokeObjectURL(url), [url]);
	return (
		<a href={url} download={name}>
			Download
		</a>
	);
}

function TextPayload({ text, what }: { readonly text: string; readonly what: string }) {
	const shown = hideSecrets(prettyJson(text));
	const isCut = shown.length > MAX_SHOWN_CHARS;
	return (
		<div class="code">
			<CopyButton text={shown} what={what} />
			{/* biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls, so a keyboard has to reach it. */}
			<pre tabIndex={0}>{isCut ? shown.slice(0, MAX_SHOWN_CHARS) : shown}</pre>
			{isCut && <p class="quiet">The rest is in the download.</p>}
		</div>
	);
}

/** An image is decoded only on request. */
function ImagePayload({ blob, what }: { readonly blob: Blob; readonly what: string }) {
	const [source, setSource] = useState<string>();
	if (source !== undefined) return <img class="result" src={source} alt={`The ${what}`} />;
	return (
		<button type="button" onClick={() => toDataUrl(blob).then(setSource)}>
			Show the image
		</button>
	);
}
