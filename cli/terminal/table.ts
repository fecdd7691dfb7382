/** A table of plain text. Pure. */

const GAP = '  ';

/** Each row as a line. Columns are as wide as their widest cell; the last one is not padded. */
export function renderTable(rows: readonly (readonly string[])[]): string[] {
	const count = Math.max(0, ...rows.map(({ length }) => length));
	const widths = Array.from({ length: count }, (_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
	return rows.map((row) =>
		row
			.map((cell, column) => cell.padEnd(widths[column] ?? 0))
			.join(GAP)
			.trimEnd(),
	);
}
