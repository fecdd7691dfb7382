import { formatCount } from '../pure/format.ts';
import { Table } from './table.tsx';

interface RankedCountsProps {
	/** The name of what is counted. */
	readonly title: string;
	readonly counts: readonly (readonly [name: string, count: number])[];
	/** The page of the jobs that a number counts. */
	readonly pathOf: (name: string) => string;
}

/** Numbers by name, each with a bar and a link to its jobs. */
export function RankedCounts({ title, counts, pathOf }: RankedCountsProps) {
	if (counts.length === 0) return null;
	const largest = Math.max(...counts.map(([, count]) => count));
	return (
		<Table class="numbers ranked" heads={[title, 'jobs']}>
			{counts.map(([name, count]) => (
				<tr key={name}>
					<th scope="row">
						<a href={pathOf(name)}>{name}</a>
					</th>
					<td>
						<span class="bar" style={{ width: `${(60 * count) / largest}px` }} aria-hidden="true" />
						{formatCount(count)}
					</td>
				</tr>
			))}
		</Table>
	);
}
