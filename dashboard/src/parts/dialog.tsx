import type { ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';

interface DialogProps {
	readonly title: string;
	readonly onClose: () => void;
	readonly children: ComponentChildren;
}

/** A modal dialog: the browser keeps the focus in it, and Escape closes it. */
export function Dialog({ title, onClose, children }: DialogProps) {
	const element = useRef<HTMLDialogElement>(null);
	useEffect(() => element.current?.showModal(), []);
	return (
		<dialog ref={element} onClose={onClose} aria-labelledby="dialog-title">
			<h2 id="dialog-title">{title}</h2>
			{children}
		</dialog>
	);
}
