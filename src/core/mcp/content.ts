/** A job's result as the content of a tool's result. Pure. */
import { isJson } from '../http/media-type.ts';

export type Content =
	| { readonly type: 'text'; readonly text: string }
	| { readonly type: 'image' | 'audio'; readonly data: string; readonly mimeType: string }
	| {
			readonly type: 'resource_link';
			readonly uri: string;
			readonly name: string;
			readonly mimeType: string;
			readonly size: number;
	  };

export interface ToolResult {
	readonly content: readonly Content[];
	readonly structuredContent?: unknown;
	readonly isError?: true;
}

/** How a result of this media type can be part of an answer. */
export function embeddedForm(mediaType: string): 'json' | 'text' | 'image' | 'audio' | 'link' {
	const [type] = mediaType.toLowerCase().split('/');
	if (isJson(mediaType)) return 'json';
	if (type === 'text' || type === 'image' || type === 'audio') return type;
	return 'link';
}

/** @param text of a result whose media type is JSON. A task may have written something else. */
export function jsonResult(text: string): ToolResult {
	try {
		return { ...textResult(text), structuredContent: JSON.parse(text) as unknown };
	} catch {
		return textResult(text);
	}
}

export function textResult(text: string): ToolResult {
	return { content: [{ type: 'text', text }] };
}

export function errorResult(text: string, details?: unknown): ToolResult {
	const result = { ...textResult(text), isError: true } as const;
	return details === undefined ? result : { ...result, structuredContent: details };
}
