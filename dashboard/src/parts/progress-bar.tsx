interface ProgressBarProps {
	readonly percent: number;
	readonly label: string;
}

export function ProgressBar({ percent, label }: ProgressBarProps) {
	return (
		<div class="progress">
			<progress max={100} value={percent} aria-label={label} />
			<span class="number">{Math.floor(percent)} %</span>
		</div>
	);
}
