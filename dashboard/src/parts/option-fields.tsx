import { OPTIONS } from '../pure/submission.ts';

export function OptionFields() {
	return (
		<details class="options">
			<summary>Options</summary>
			{OPTIONS.map(([header, label, help]) => (
				<label key={header}>
					{label} <span class="quiet">{help}</span>
					<input name={`options:${header}`} autocomplete="off" spellcheck={false} />
				</label>
			))}
		</details>
	);
}
