/** Resizes one image in four stages: read, decode, resample, encode. */
import { Buffer } from 'node:buffer';
import type { BinaryInput } from '../../work/task.ts';
import type { DecodedImage, Picture } from './codec.ts';
import type { Codecs } from './codecs.ts';
import { convertToSrgb } from './colour-profile.ts';
import { invalidImage } from './errors.ts';
import { detectFormat, type ImageFormat, type ImageHeader, readHeader, SIGNATURE_BYTES } from './header.ts';
import { needsOutside, readerFor, writerFor } from './memory.ts';
import { type Plan, planResize, type ResizeRequest } from './plan.ts';
import { resample } from './resample.ts';

const RGBA_BYTES = 4;

/** The stages of the work, in order; each is reported when it has finished. */
export type Stage = 'read' | 'decoded' | 'resized' | 'encoded';

/** The dependencies of the work. */
export interface ResizeOptions {
	readonly codecs: Codecs;
	/** Checked between the stages. */
	readonly signal: AbortSignal;
	/** Called when a stage has finished. */
	onStage(stage: Stage): void;
}

/** The resized image. */
export interface ResizedImage {
	readonly bytes: Uint8Array<ArrayBuffer>;
	readonly format: ImageFormat;
	readonly widthPixels: number;
	readonly heightPixels: number;
	readonly plan: Plan;
}

/**
 * Resizes one image. The codecs and the isolate's memory serve one image at a time: await each call before the next one.
 *
 * @throws {TaskError} `InvalidImage`, `UnsupportedImage` or `ImageTooLarge`, none of them retryable.
 * @throws the signal's reason, between stages, when it has fired.
 */
export async function resizeImage(
	input: Pick<BinaryInput, 'sizeBytes' | 'stream'>,
	request: ResizeRequest,
	options: ResizeOptions,
): Promise<ResizedImage> {
	try {
		return await resizeInStages(input, request, options);
	} finally {
		options.codecs.reset();
	}
}

async function resizeInStages(
	input: Pick<BinaryInput, 'sizeBytes' | 'stream'>,
	request: ResizeRequest,
	options: ResizeOptions,
): Promise<ResizedImage> {
	const { codecs } = options;
	const { file, format } = await readImage(input, options);
	const header = readHeader(format, file);
	const plan = planResize(header, input.sizeBytes, request);
	codecs.makeRoom(plan.needs);
	const reader = await codecs.open(readerFor(format));
	await endStage('read', options);
	const { widthPixels, heightPixels } = header;
	const decoded = reader.decode(header.file, { widthPixels, heightPixels, eighths: plan.eighths });
	let picture: Picture;
	try {
		await endStage('decoded', options);
		picture = resamplePixels(decoded, header, plan);
	} finally {
		decoded.free();
	}
	await endStage('resized', options);
	const writer = await codecs.open(writerFor(plan.format));
	const bytes = writer.encode(picture, plan.quality);
	await endStage('encoded', options);
	return { bytes, format: plan.format, ...plan.upright, plan };
}

/** Reads the input into memory. */
async function readImage(
	input: Pick<BinaryInput, 'sizeBytes' | 'stream'>,
	{ codecs, signal }: ResizeOptions,
): Promise<{ file: Uint8Array; format: ImageFormat }> {
	if (input.sizeBytes === 0) throw invalidImage('The image is empty');
	const reader = input.stream().getReader();
	try {
		const start = await readStart(reader);
		const format = detectFormat(start);
		codecs.makeRoom(needsOutside(input.sizeBytes));
		const file = new Uint8Array(input.sizeBytes);
		let receivedBytes = 0;
		for (let chunk: Uint8Array | undefined = start; chunk; chunk = (await reader.read()).value) {
			signal.throwIfAborted();
			receivedBytes += chunk.length;
			if (receivedBytes > input.sizeBytes) break;
			file.set(chunk, receivedBytes - chunk.length);
		}
		if (receivedBytes !== input.sizeBytes) {
			throw new Error(`read input: expected ${input.sizeBytes} bytes, got ${receivedBytes}`);
		}
		return { file, format };
	} finally {
		await reader.cancel();
	}
}

/** Reads the first bytes of a stream: enough to detect the format, for any size of chunks. */
async function readStart(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<Uint8Array> {
	let start: Uint8Array = new Uint8Array();
	while (start.length < SIGNATURE_BYTES) {
		const { value } = await reader.read();
		if (!value) break;
		start = Buffer.concat([start, value]);
	}
	return start;
}

/** Resamples, turns upright and converts to sRGB. */
function resamplePixels(decoded: DecodedImage, header: ImageHeader, plan: Plan): Picture {
	const { widthPixels, heightPixels, orientation, format } = plan;
	const data = new Uint8ClampedArray(widthPixels * heightPixels * RGBA_BYTES);
	const source = decoded.pixels();
	const scaleX = decoded.widthPixels / header.widthPixels;
	const scaleY = decoded.heightPixels / header.heightPixels;
	const crop = {
		x: plan.crop.x * scaleX,
		y: plan.crop.y * scaleY,
		width: plan.crop.width * scaleX,
		height: plan.crop.height * scaleY,
	};
	resample(source, { data, widthPixels, heightPixels }, { crop, orientation, flatten: format === 'jpeg' });
	// Inks are converted while they are resampled, to colours that are sRGB already.
	if (source.layout !== 'cmyk') convertToSrgb(data, header.profile);
	return { data, ...plan.upright };
}

/** Reports that a stage has finished, and lets the event loop run, so that progress is sent and an abort is received. */
async function endStage(stage: Stage, { signal, onStage }: ResizeOptions): Promise<void> {
	onStage(stage);
	await new Promise((resolve) => setTimeout(resolve, 0));
	signal.throwIfAborted();
}
