import { useEffect, useState } from 'preact/hooks';

const CONFIRMED_MS = 1_500;

/** Copies a text. */
export function CopyButton({ text, what }: { readonly text: string; readonly what: string }) {
	const [isCopied, setCopied] = useState(false);
	useEffect(() => {
		if (!isCopied) return;
		const timer = setTimeout(() => setCopied(false), CONFIRMED_MS);
		return () => clearTimeout(timer);
	}, [isCopied]);
	return (
		<button
			type="button"
			class="small"
			onClick={() => navigator.clipboard.writeText(text).then(() => setCopied(true))}
			aria-label={`Copy ${what}`}
		>
			{isCopied ? 'Copied' : 'Copy'}
		</button>
	);
}
