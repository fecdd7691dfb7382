/**
 * Makes a task's input of an event, by a template. In the template, a string that begins with `$.` is a path into the event,
 * as in `$.data.url`, and `$` is the whole event. Everything else stands for itself; `$$.` stands for `$.`.
 *
 * Pure: no clock, no randomness, no I/O.
 */
import { isObject } from '../http/json.ts';

/** @returns `undefined` where the event has nothing at a path; such members of objects are left out. */
export function mapped(template: unknown, event: unknown): unknown {
	if (typeof template === 'string') return mappedText(template, event);
	if (Array.isArray(template)) return template.map((item) => mapped(item, event) ?? null);
	if (!isObject(template)) return template;
	const members = Object.entries(template).map(([name, value]) => [name, mapped(value, event)] as const);
	return Object.fromEntries(members.filter(([, value]) => value !== undefined));
}

function mappedText(text: string, event: unknown): unknown {
	if (text === '$') return event;
	if (text.startsWith('$$')) return text.slice(1);
	if (!text.startsWith('$.')) return text;
	return text
		.slice(2)
		.split('.')
		.reduce<unknown>((value, name) => memberAt(value, name), event);
}

function memberAt(value: unknown, name: string): unknown {
	if (Array.isArray(value)) return /^\d+$/.test(name) ? value[Number(name)] : undefined;
	return isObject(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}
