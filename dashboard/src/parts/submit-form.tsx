import { useRef, useState } from 'preact/hooks';
import type { StatusDocument } from '../../../src/client/index.ts';
import { prettyJson } from '../pure/json-text.ts';
import { fieldsOf, inputText, type Values, valuesOf } from '../pure/schema-form.ts';
import { newKey, optionHeaders, parametersQuery, readValues } from '../pure/submission.ts';
import { readJson } from '../state/api.ts';
import type { Draft } from '../state/draft.ts';
import { navigate } from '../state/router.ts';
import type { Task } from '../state/tasks.ts';
import { useCommand } from '../state/use-command.ts';
import { OptionFields } from './option-fields.tsx';
import { ProblemNote } from './problem.tsx';
import { SchemaFields } from './schema-fields.tsx';

type Mode = 'form' | 'json' | 'file';

interface SubmitFormProps {
	readonly task: Task;
	readonly earlier: Draft | undefined;
}

/** A form for a task: its fields, its JSON as text, or a file. */
export function SubmitForm({ task, earlier }: SubmitFormProps) {
	const fields = fieldsOf(task.input.schema);
	const parameters = fieldsOf(task.parameters) ?? [];
	const before = earlier?.payload?.text;
	const known = fields && before !== undefined ? valuesOf(fields, before) : undefined;
	const [mode, setMode] = useState<Mode>(
		firstMode(task, { hasForm: fields !== undefined, isFormful: before === undefined || known !== undefined }),
	);
	const [values, setValues] = useState<Values>(known ?? {});
	const [text, setText] = useState(before === undefined ? '' : prettyJson(before));
	const form = { current: undefined as HTMLFormElement | undefined };
	// The answer to a submission may be lost: who submits the same again gets the same job.
	const key = useRef(newKey());
	const renewKey = () => {
		key.current = newKey();
	};
	const submit = useCommand(async () => {
		if (form.current)
			navigate(`/jobs/${(await send(task, bodyOf(form.current, { mode, task, key: key.current }))).id}`);
	});
	const toText = (from: HTMLFormElement) => {
		renewKey();
		if (mode === 'form' && fields) setText(prettyJson(inputText(fields, readValues(new FormData(from), 'input'))));
		setMode('json');
	};
	const toForm = (from: HTMLFormElement) => {
		renewKey();
		const typed = String(new FormData(from).get('json') ?? '');
		const read = fields && valuesOf(fields, typed);
		if (read) setValues(read);
		setText(typed);
		setMode('form');
	};
	return (
		<form
			class="submit"
			onInput={renewKey}
			onSubmit={(event) => {
				event.preventDefault();
				form.current = event.currentTarget;
				void submit.run();
			}}
		>
			<fieldset>
				<legend>Input</legend>
				<Modes
					task={task}
					mode={mode}
					hasForm={fields !== undefined}
					onForm={toForm}
					onText={toText}
					onFile={() => {
						renewKey();
						setMode('file');
					}}
				/>
				{mode === 'form' && fields && <SchemaFields fields={fields} values={values} group="input" />}
				{mode === 'json' && <TextInput text={text} />}
				{mode === 'file' && <FileInput task={task} />}
			</fieldset>
			{parameters.length > 0 && (
				<fieldset>
					<legend>Parameters</legend>
					<SchemaFields fields={parameters} values={{}} group="parameters" />
				</fieldset>
			)}
			<OptionFields />
			<ProblemNote error={submit.error} />
			<button type="submit" class="main" disabled={submit.isRunning}>
				Submit
			</button>
		</form>
	);
}

function firstMode(
	{ input }: Task,
	{ hasForm, isFormful }: { readonly hasForm: boolean; readonly isFormful: boolean },
): Mode {
	if (!input.schema) return 'file';
	return hasForm && isFormful ? 'form' : 'json';
}

interface ModesProps {
	readonly task: Task;
	readonly mode: Mode;
	readonly hasForm: boolean;
	readonly onForm: (form: HTMLFormElement) => void;
	readonly onText: (form: HTMLFormElement) => void;
	readonly onFile: () => void;
}

function Modes({ task: { input }, mode, hasForm, onForm, onText, onFile }: ModesProps) {
	const choices = [
		...(hasForm ? [['form', 'Form', onForm] as const] : []),
		...(input.schema ? [['json', 'JSON', onText] as const] : []),
		...(input.mediaTypes ? [['file', 'File', onFile] as const] : []),
	];
	if (choices.length < 2) return null;
	return (
		<div class="buttons">
			{choices.map(([name, label, choose]) => (
				<button
					key={name}
					type="button"
					aria-pressed={mode === name}
					onClick={(event) => event.currentTarget.form && choose(event.currentTarget.form)}
				>
					{label}
				</button>
			))}
		</div>
	);
}

function TextInput({ text }: { readonly text: string }) {
	return (
		<label>
			JSON
			<textarea name="json" rows={10} spellcheck={false} required defaultValue={text} />
		</label>
	);
}

function FileInput({ task: { input } }: { readonly task: Task }) {
	const types = input.mediaTypes ?? [];
	return (
		<label>
			File <span class="quiet">{types.join(', ')}</span>
			<input name="file" type="file" required accept={types.join(',')} />
		</label>
	);
}

interface Submission {
	readonly query: URLSearchParams;
	readonly headers: Record<string, string>;
	readonly body: BodyInit;
}

interface FormTerms {
	readonly mode: Mode;
	readonly task: Task;
	/** The idempotency key, unless the form has one. */
	readonly key: string;
}

function bodyOf(form: HTMLFormElement, { mode, task, key }: FormTerms): Submission {
	const data = new FormData(form);
	const query = parametersQuery(readValues(data, 'parameters'));
	const options = { 'Idempotency-Key': key, ...optionHeaders(readValues(data, 'options')) };
	const file = data.get('file');
	if (mode === 'file' && file instanceof File) {
		const type = file.type || (task.input.mediaTypes?.[0] ?? '');
		return { query, headers: { ...options, 'content-type': type }, body: file };
	}
	const fields = fieldsOf(task.input.schema) ?? [];
	const text = mode === 'form' ? inputText(fields, readValues(data, 'input')) : String(data.get('json') ?? '');
	return { query, headers: { ...options, 'content-type': 'application/json' }, body: text };
}

function send(task: Task, { query, headers, body }: Submission): Promise<StatusDocument> {
	const search = query.size === 0 ? '' : `?${query}`;
	return readJson(`/v1/tasks/${encodeURIComponent(task.name)}/jobs${search}`, { method: 'POST', headers, body });
}
