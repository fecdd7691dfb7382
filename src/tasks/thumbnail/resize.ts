/** Resizes one image in four stages: read, decode, resample, encode. */
import { Buffer } from 'node:buffer';
import type { BinaryInput } from '../../work/task.ts';
import type { Codec, DecodedImage, Region } from './codec.ts';
import type { Codecs } from './codecs.ts';
import { invalidImage } from './errors.ts';
import { detectFormat, type ImageFormat, type ImageHeader, readHeader, SIGNATURE_BYTES } from './header.ts';
import { keepEssentials } from './image-bytes.ts';
import { codecOf, inputNeeds } from './memory.ts';
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
	const received = await readImage(input, options);
	const header = readHeader(received.format, received.codec.view(received.file));
	const plan = planResize(header, input.sizeBytes, request);
	const { codec, file } = await makeRoom(received, plan, options.codecs);
	codec.growTo(plan.needs[codecOf(header.format)]);
	await endStage('read', options);
	const decoded = decodeImage(codec, file, header, plan);
	await endStage('decoded', options);
	const writer = await options.codecs.open(codecOf(plan.format));
	if (writer !== codec) writer.growTo(plan.needs[codecOf(plan.format)]);
	const pixels = resamplePixels(decoded, header, plan, writer);
	await endStage('resized', options);
	const bytes = writer.encode(pixels, { ...plan.upright, format: plan.format, quality: plan.quality });
	await endStage('encoded', options);
	return { bytes, format: plan.format, ...plan.upright, plan };
}

interface OpenFile {
	readonly format: ImageFormat;
	readonly codec: Codec;
	readonly file: Region;
}

/** Streams the input into the memory of the codec that will decode it, so that it never exists twice. */
async function readImage(input: Pick<BinaryInput, 'sizeBytes' | 'stream'>, options: ResizeOptions): Promise<OpenFile> {
	if (input.sizeBytes === 0) throw invalidImage('The image is empty');
	const reader = input.stream().getReader();
	try {
		const start = await readStart(reader);
		const format = detectFormat(start);
		const codec = await options.codecs.makeRoom(inputNeeds(format, input.sizeBytes), codecOf(format));
		const file = codec.allocate(input.sizeBytes);
		let receivedBytes = 0;
		for (let chunk: Uint8Array | undefined = start; chunk; chunk = (await reader.read()).value) {
			options.signal.throwIfAborted();
			receivedBytes += chunk.length;
			if (receivedBytes > input.sizeBytes) break;
			codec.view(file).set(chunk, receivedBytes - chunk.length);
		}
		if (receivedBytes !== input.sizeBytes) {
			throw new Error(`read input: expected ${input.sizeBytes} bytes, got ${receivedBytes}`);
		}
		return { codec, format, file };
	} finally {
		await reader.cancel();
	}
}

/** Moves the input to a new instance when the old one's memory leaves too little for the plan. */
async function makeRoom(from: OpenFile, plan: Plan, codecs: Codecs): Promise<OpenFile> {
	const codec = await codecs.makeRoom(plan.needs, codecOf(from.format));
	if (codec === from.codec) return from;
	const file = codec.allocate(from.file.sizeBytes);
	codec.view(file).set(from.codec.view(from.file));
	return { format: from.format, codec, file };
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

function decodeImage(codec: Codec, file: Region, header: ImageHeader, plan: Plan): DecodedImage {
	if (header.format !== 'jpeg') keepEssentials(codec.view(file), header.essentials);
	const { widthPixels, heightPixels } = header;
	return codec.decode(file, { widthPixels, heightPixels, eighths: plan.eighths });
}

/** Resamples from the decoder's memory directly into the encoder's. */
function resamplePixels(decoded: DecodedImage, header: ImageHeader, plan: Plan, writer: Codec): Region {
	const { widthPixels, heightPixels, orientation, format } = plan;
	const region = writer.allocate(widthPixels * heightPixels * RGBA_BYTES);
	const source = decoded.pixels();
	const view = writer.view(region);
	const data = new Uint8ClampedArray(view.buffer, view.byteOffset, view.byteLength);
	const scaleX = decoded.widthPixels / header.widthPixels;
	const scaleY = decoded.heightPixels / header.heightPixels;
	const crop = {
		x: plan.crop.x * scaleX,
		y: plan.crop.y * scaleY,
		width: plan.crop.width * scaleX,
		height: plan.crop.height * scaleY,
	};
	resample(source, { data, widthPixels, heightPixels }, { crop, orientation, flatten: format === 'jpeg' });
	decoded.free();
	return region;
}

/** Reports that a stage has finished, and lets the event loop run, so that progress is sent and an abort is received. */
async function endStage(stage: Stage, { signal, onStage }: ResizeOptions): Promise<void> {
	onStage(stage);
	await new Promise((resolve) => setTimeout(resolve, 0));
	signal.throwIfAborted();
}
