import type { ComponentChildren } from 'preact';

interface TableProps {
	/** The names of the columns. An empty one stands over buttons or bars. */
	readonly heads: readonly string[];
	readonly class?: string;
	/** The rows. */
	readonly children: ComponentChildren;
}

export function Table({ heads, class: name, children }: TableProps) {
	return (
		<table class={name}>
			<thead>
				<tr>
					{heads.map((head) =>
						head === '' ? (
							<td key={head} />
						) : (
							<th key={head} scope="col">
								{head}
							</th>
						),
					)}
				</tr>
			</thead>
			<tbody>{children}</tbody>
		</table>
	);
}
