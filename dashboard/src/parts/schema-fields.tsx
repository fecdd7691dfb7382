import type { Field, Values } from '../pure/schema-form.ts';

interface SchemaFieldsProps {
	readonly fields: readonly Field[];
	readonly values: Values;
	/** What the names of the fields begin with. */
	readonly group: string;
}

export function SchemaFields({ fields, values, group }: SchemaFieldsProps) {
	return (
		<>
			{fields.map((field) => (
				<div class="field" key={field.name}>
					<label for={`${group}:${field.name}`}>
						{field.name}
						{field.isRequired && <span class="quiet"> (required)</span>}
						{field.description && <span class="quiet help">{field.description}</span>}
					</label>
					<Control field={field} name={`${group}:${field.name}`} value={values[field.name]} />
				</div>
			))}
		</>
	);
}

interface ControlProps {
	readonly field: Field;
	readonly name: string;
	readonly value: string | undefined;
}

function Control({ field, name, value }: ControlProps) {
	const { kind, isRequired, choices = [] } = field;
	const usual = field.default;
	switch (kind) {
		case 'choice':
		case 'boolean':
			return (
				<select id={name} name={name} required={isRequired}>
					<option value="">{usual === undefined ? '' : `default: ${usual}`}</option>
					{(kind === 'boolean' ? ['true', 'false'] : choices).map((choice) => (
						<option key={choice} value={choice} selected={choice === value}>
							{JSON.stringify(choice).slice(1, -1)}
						</option>
					))}
				</select>
			);
		case 'json':
			return (
				<textarea
					id={name}
					name={name}
					rows={4}
					spellcheck={false}
					required={isRequired}
					placeholder="JSON"
					defaultValue={value}
				/>
			);
		default:
			return (
				<input
					id={name}
					name={name}
					// A text field, because a number field rounds what it shows.
					inputMode={kind === 'text' ? 'text' : 'decimal'}
					required={isRequired && kind !== 'text'}
					placeholder={usual}
					defaultValue={value}
					autocomplete="off"
					spellcheck={false}
				/>
			);
	}
}
