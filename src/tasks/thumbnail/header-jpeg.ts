/** Reads all markers of a JPEG without decoding it. Pure. */
import { Buffer } from 'node:buffer';
import { MAX_PROFILE_BYTES } from './colour-profile.ts';
import { invalidImage, unsupportedImage } from './errors.ts';
import { readOrientation } from './exif.ts';
import { dataView, type HeaderBase, hasText } from './image-bytes.ts';

/** The header of a JPEG. */
export interface JpegHeader extends HeaderBase {
	readonly format: 'jpeg';
	/** 1 is grey, 3 colour, 4 CMYK. */
	readonly channels: 1 | 3 | 4;
	/**
	 * Number of stored samples in all channels: about 1.5 a pixel when colour is stored at half the size in each direction,
	 * otherwise 3.
	 */
	readonly storedSamples: number;
	/** In a progressive JPEG every coefficient is kept until the last scan, 2 bytes each. */
	readonly progressive: boolean;
}

/**
 * Maximum number of scans of a progressive JPEG. Each scan is a pass over the whole image and can be a few bytes long, so a
 * small file could cause hours of work. Encoders write about 10.
 */
export const MAX_SCANS = 100;

const FILL = 0xff;
const SOF_BASELINE = 0xc0;
const SOF_EXTENDED = 0xc1;
const SOF_PROGRESSIVE = 0xc2;
const SOF_LAST = 0xcf;
const DHT = 0xc4;
const JPG_RESERVED = 0xc8;
const DAC = 0xcc;
const FIRST_RST = 0xd0;
const LAST_RST = 0xd7;
const END_OF_IMAGE = 0xd9;
const START_OF_SCAN = 0xda;
const EXIF_SEGMENT = 0xe1;
const EXIF_NAME = 'Exif\0\0';
const ADOBE_SEGMENT = 0xee;
const ADOBE_NAME = 'Adobe';
/** An Adobe segment that says: four channels are CMYK. The decoder rejects them without it; libvips and browsers assume it. */
const ADOBE_CMYK = Buffer.from('\xff\xee\0\x0eAdobe\0\x64\0\0\0\0\0', 'latin1');
const PROFILE_SEGMENT = 0xe2;
/** Two bytes follow: the number of the part, from 1, and the number of parts. */
const PROFILE_NAME = 'ICC_PROFILE\0';
const PROFILE_HEADER_BYTES = PROFILE_NAME.length + 2;
const MARKER_BYTES = 2;
const LENGTH_BYTES = 2;
const FRAME_HEADER_BYTES = 6;
const FRAME_COMPONENT_BYTES = 3;
const MAX_SAMPLING = 4;
const BITS_PER_SAMPLE = 8;
const BLOCK_PIXELS = 8;

type Frame = Omit<JpegHeader, 'orientation' | 'format' | 'file' | 'profile'>;

/**
 * @throws {TaskError} `InvalidImage` when damaged or truncated, `UnsupportedImage` for rare kinds that browsers don't show
 * either.
 */
export function readJpegHeader(bytes: Uint8Array): JpegHeader {
	let frame: Frame | undefined;
	let orientation: number | undefined;
	let scans = 0;
	const profileParts: Uint8Array[] = [];
	let isAdobe = false;
	let at = MARKER_BYTES;
	for (;;) {
		const marker = markerAt(bytes, at);
		at = marker.end;
		if (marker.code === END_OF_IMAGE) break;
		if (marker.code >= FIRST_RST && marker.code <= LAST_RST) continue;
		const segment = segmentAt(bytes, at);
		at += LENGTH_BYTES + segment.length;
		if (isFrame(marker.code)) {
			if (frame) throw unsupportedImage('The JPEG is hierarchical, expected baseline or progressive');
			frame = readJpegFrame(marker.code, segment);
		} else if (marker.code === EXIF_SEGMENT && hasText(segment, 0, EXIF_NAME)) {
			orientation ??= readOrientation(segment.subarray(EXIF_NAME.length));
		} else if (marker.code === PROFILE_SEGMENT && hasText(segment, 0, PROFILE_NAME)) {
			profileParts[segment[PROFILE_NAME.length] ?? 0] = segment.subarray(PROFILE_HEADER_BYTES);
		} else if (marker.code === ADOBE_SEGMENT && hasText(segment, 0, ADOBE_NAME)) {
			isAdobe = true;
		} else if (marker.code === START_OF_SCAN) {
			if (!frame) throw invalidImage('The JPEG is damaged: its pixels precede its size');
			if (++scans > MAX_SCANS) throw unsupportedImage(`The JPEG has more than ${MAX_SCANS} scans`);
			at = endOfScan(bytes, at);
		}
	}
	if (!frame || scans === 0) throw invalidImage('The JPEG has no pixels');
	return {
		format: 'jpeg',
		file: frame.channels === 4 && !isAdobe ? withAdobeSegment(bytes) : bytes,
		orientation: orientation ?? 1,
		profile: joinProfile(profileParts),
		...frame,
	};
}

function withAdobeSegment(bytes: Uint8Array): Uint8Array {
	return Buffer.concat([bytes.subarray(0, MARKER_BYTES), ADOBE_CMYK, bytes.subarray(MARKER_BYTES)]);
}

/** A profile of more than 64 KiB is divided among several segments, in any order. */
function joinProfile(parts: readonly Uint8Array[]): Uint8Array | undefined {
	const present = parts.filter((part) => part !== undefined);
	const sizeBytes = present.reduce((sum, part) => sum + part.length, 0);
	return sizeBytes > 0 && sizeBytes <= MAX_PROFILE_BYTES ? Buffer.concat(present) : undefined;
}

function jpegCutOff() {
	return invalidImage('The JPEG ends early: it is truncated');
}

/** Reads the marker at `at`, which any number of fill bytes may precede. */
function markerAt(bytes: Uint8Array, at: number): { code: number; end: number } {
	if (at >= bytes.length) throw jpegCutOff();
	if (bytes[at] !== FILL) throw invalidImage(`The JPEG is damaged at byte ${at}`);
	let end = at;
	while (bytes[end] === FILL) end++;
	const code = bytes[end];
	if (code === undefined) throw jpegCutOff();
	return { code, end: end + 1 };
}

/** Returns the contents of the segment whose length is at `at`. */
function segmentAt(bytes: Uint8Array, at: number): Uint8Array {
	if (at + LENGTH_BYTES > bytes.length) throw jpegCutOff();
	const length = dataView(bytes).getUint16(at);
	if (length < LENGTH_BYTES) throw invalidImage(`The JPEG is damaged at byte ${at}`);
	if (at + length > bytes.length) throw jpegCutOff();
	return bytes.subarray(at + LENGTH_BYTES, at + length);
}

/** Returns the offset of the marker after a scan's coded pixels. Inside them 0xff is followed by 0 or a restart number. */
function endOfScan(bytes: Uint8Array, start: number): number {
	for (let at = bytes.indexOf(FILL, start); at !== -1; at = bytes.indexOf(FILL, at + 1)) {
		const next = bytes[at + 1];
		if (next === undefined) break;
		const isData = next === 0 || next === FILL || (next >= FIRST_RST && next <= LAST_RST);
		if (!isData) return at;
	}
	throw jpegCutOff();
}

function isFrame(code: number): boolean {
	return code >= SOF_BASELINE && code <= SOF_LAST && code !== DHT && code !== JPG_RESERVED && code !== DAC;
}

function readJpegFrame(code: number, segment: Uint8Array): Frame {
	if (code !== SOF_BASELINE && code !== SOF_EXTENDED && code !== SOF_PROGRESSIVE) {
		throw unsupportedImage('The JPEG is lossless, hierarchical or arithmetic, expected baseline or progressive');
	}
	if (segment.length < FRAME_HEADER_BYTES) throw invalidImage('The JPEG is damaged: its frame header is too short');
	const view = dataView(segment);
	const bits = view.getUint8(0);
	if (bits !== BITS_PER_SAMPLE) throw unsupportedImage(`The JPEG has ${bits} bits a sample, expected 8`);
	const heightPixels = view.getUint16(1);
	const widthPixels = view.getUint16(3);
	if (heightPixels === 0 || widthPixels === 0) throw invalidImage('The JPEG is damaged: a side is 0 pixels long');
	const channels = view.getUint8(5);
	if (channels !== 1 && channels !== 3 && channels !== 4) {
		throw unsupportedImage(`The JPEG has ${channels} channels, expected 1, 3 or 4`);
	}
	const sampling = readSampling(segment, channels);
	const storedWidth = roundedUp(widthPixels, BLOCK_PIXELS * sampling.horizontal);
	const storedHeight = roundedUp(heightPixels, BLOCK_PIXELS * sampling.vertical);
	const storedSamples = storedWidth * storedHeight * sampling.samplesPerPixel;
	return { widthPixels, heightPixels, channels, storedSamples, progressive: code === SOF_PROGRESSIVE };
}

function roundedUp(pixels: number, unitPixels: number): number {
	return Math.ceil(pixels / unitPixels) * unitPixels;
}

/** Returns the largest sampling factors, and the sum of the channels' sizes relative to them. */
function readSampling(segment: Uint8Array, channels: number) {
	if (segment.length < FRAME_HEADER_BYTES + channels * FRAME_COMPONENT_BYTES) {
		throw invalidImage('The JPEG is damaged: its frame header is too short');
	}
	let sum = 0;
	let maxHorizontal = 0;
	let maxVertical = 0;
	for (let channel = 0; channel < channels; channel++) {
		const factors = segment[FRAME_HEADER_BYTES + channel * FRAME_COMPONENT_BYTES + 1] ?? 0;
		const horizontal = factors >> 4;
		const vertical = factors & 0x0f;
		if (horizontal < 1 || horizontal > MAX_SAMPLING || vertical < 1 || vertical > MAX_SAMPLING) {
			throw invalidImage('The JPEG is damaged: its sampling factors are invalid');
		}
		sum += horizontal * vertical;
		maxHorizontal = Math.max(maxHorizontal, horizontal);
		maxVertical = Math.max(maxVertical, vertical);
	}
	return { horizontal: maxHorizontal, vertical: maxVertical, samplesPerPixel: sum / (maxHorizontal * maxVertical) };
}
