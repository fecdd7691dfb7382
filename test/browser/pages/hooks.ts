/** A page whose components the tests choose. Each component records the states that it has shown. */
import { createElement, StrictMode } from 'react';
import { createRoot, hydrateRoot, type Root } from 'react-dom/client';
import { renderToString } from 'react-dom/server';
import { createClient } from '../../../src/client/index.ts';
import {
	createHooks,
	type UsedJob,
	type UseJobOptions,
	type UseTopicOptions,
	useJob,
} from '../../../src/react/index.ts';

export interface ShownState {
	readonly status: string;
	readonly percent: number | undefined;
	readonly result: unknown;
	/** The name of the error. */
	readonly error: string | undefined;
	readonly commandError: string | undefined;
}

interface Named {
	/** Under which the component records. */
	readonly name: string;
}

const recorded: Record<string, ShownState[]> = {};
const commands: Record<string, Pick<UsedJob<unknown>, 'cancel' | 'retry' | 'refetch'>> = {};
const submits: Record<string, (input: object) => unknown> = {};
const events: Record<string, readonly unknown[]> = {};

function record(name: string, { status, job, result, error, commandError, ...rest }: UsedJob<unknown>) {
	const states = recorded[name] ?? [];
	recorded[name] = states;
	const shown = result instanceof Blob ? `${result.type}, ${result.size} bytes` : result;
	states.push({
		status,
		percent: job?.percentComplete,
		result: shown,
		error: error?.name,
		commandError: commandError?.name,
	});
	commands[name] = rest;
	return createElement('p', { id: name }, `${status} ${job?.percentComplete ?? ''}`);
}

function JobView({
	name,
	url,
	options,
}: Named & { readonly url: string | undefined; readonly options?: UseJobOptions }) {
	return record(name, useJob(url, options));
}

const { useSubmit, useTopic } = createHooks(createClient(JSON.parse(decodeURIComponent(location.hash.slice(1)))));

function SubmitView({ name, task }: Named & { readonly task: string }) {
	const { submit, ...job } = useSubmit(task);
	submits[name] = submit;
	return record(name, job);
}

function TopicView({ name, topic, options }: Named & { readonly topic: string; readonly options: UseTopicOptions }) {
	events[name] = useTopic(topic, options).events;
	return null;
}

const KINDS = { job: JobView, submit: SubmitView, topic: TopicView };

interface Wanted {
	readonly kind: keyof typeof KINDS;
	readonly props: Named;
}

let root: Root | undefined;
const element = () => document.getElementById('root') as HTMLElement;

function tree(wanted: readonly Wanted[]) {
	const views = wanted.map(({ kind, props }) => createElement(KINDS[kind] as never, { key: props.name, ...props }));
	return createElement(StrictMode, null, views);
}

const controls = {
	recorded,
	commands,
	submits,
	events,
	show(wanted: readonly Wanted[]) {
		root ??= createRoot(element());
		root.render(tree(wanted));
	},
	/** As a server renders, and as a browser takes it over. Returns the server's HTML. */
	hydrate(wanted: readonly Wanted[]) {
		const html = renderToString(tree(wanted));
		element().innerHTML = html;
		root = hydrateRoot(element(), tree(wanted), { onRecoverableError: (error) => console.error(error) });
		return html;
	},
};

declare global {
	var view: typeof controls;
}

globalThis.view = controls;
