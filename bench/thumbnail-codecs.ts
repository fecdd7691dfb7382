/**
 * Compares ways to make a thumbnail: colours against sharp, memory, time and size.
 *
 *     node bench/thumbnail-codecs.ts   # writes bench/results/thumbnail-codecs.md
 *
 * It needs the packages that it compares and that are not dependencies of this project. Without one, its row says so:
 *
 *     npm install --no-save @cf-wasm/photon@0.4.0 @jsquash/jpeg@1.6.0 @jsquash/resize@2.1.1 @imagemagick/magick-wasm@0.0.43
 *
 * Each way decodes the fixtures of `test/tasks` and three photos. "Memory" is the linear memory plus the pixels in JavaScript.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import sharp from 'sharp';
import { Codecs } from '../src/tasks/thumbnail/codecs.ts';
import { resizeImage } from '../src/tasks/thumbnail/resize.ts';
import { nodeLoaders } from './thumbnail-loaders.ts';

const ROOT = new URL('..', import.meta.url);
const FIXTURES = new URL('../test/tasks/fixtures/', import.meta.url);
const PHOTO = fileURLToPath(new URL('../demo/data/hubble-extreme-deep-field.jpg', import.meta.url));
const MEGABYTE = 1_000_000;

/** RGBA pixels of a whole image, and the most memory that they took. */
interface Decoded {
	readonly data: Uint8Array | Uint8ClampedArray;
	readonly memoryBytes: number;
}

interface Way {
	readonly name: string;
	/** Lines of code of this project, counted, or estimated ("about") where it was not written. */
	readonly ownLines: string;
	readonly wasm: readonly string[];
	readonly price: string;
	decode(file: Uint8Array<ArrayBuffer>, size: { readonly width: number; readonly height: number }): Promise<Decoded>;
}

/** What the task does: at the given size, as PNG, read back by sharp. */
const ours: Way = {
	name: 'this task: imagescript (JPEG), @jsquash/png, @jsquash/webp',
	ownLines: String(linesOf(new URL('src/tasks/thumbnail/', ROOT))),
	wasm: [
		'imagescript/wasm/any/jpeg.wasm',
		'@jsquash/png/codec/pkg/squoosh_png_bg.wasm',
		'@jsquash/webp/codec/dec/webp_dec.wasm',
		'@jsquash/webp/codec/enc/webp_enc_simd.wasm',
	],
	price: 'CPU time',
	async decode(bytes, { width, height }) {
		const codecs = new Codecs(nodeLoaders);
		const input = { sizeBytes: bytes.length, stream: () => new Blob([bytes]).stream() };
		const options = { codecs, signal: new AbortController().signal, onStage: () => {} };
		const request = { width, height, fit: 'contain', format: 'png', quality: 80 } as const;
		const result = await resizeImage(input, request, options);
		const data = await sharp(result.bytes).ensureAlpha().raw().toBuffer();
		return { data, memoryBytes: codecs.heldBytes + result.plan.needs.outside };
	},
};

/** What the task did before: image-rs, by Photon. It has no profiles, and JPEG took another codec. */
const photon: Way = {
	name: '@cf-wasm/photon',
	ownLines: '1773, with imagescript',
	wasm: ['@cf-wasm/photon/photon.wasm'],
	price: 'CPU time',
	async decode(bytes) {
		const module = await optional('@cf-wasm/photon');
		const image = module.PhotonImage.new_from_byteslice(bytes);
		const data = image.get_raw_pixels();
		return { data, memoryBytes: Number.NaN };
	},
};

/** mozjpeg, png and libwebp with the JavaScript of `@jsquash`, which copies all pixels. */
const jsquash: Way = {
	name: '@jsquash/jpeg, png, webp, resize with their own JavaScript',
	ownLines: 'about 700',
	wasm: [
		'@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm',
		'@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm',
		...ours.wasm.slice(1),
		'@jsquash/resize/lib/resize/pkg/squoosh_resize_bg.wasm',
	],
	price: 'CPU time',
	async decode(bytes) {
		const kind = bytes[0] === 0xff ? 'jpeg' : bytes[0] === 0x89 ? 'png' : 'webp';
		const path = { jpeg: 'dec/mozjpeg_dec', png: 'pkg/squoosh_png_bg', webp: 'dec/webp_dec' }[kind];
		const codec = await optional(`@jsquash/${kind}/decode.js`);
		let memory: WebAssembly.Memory | undefined;
		const module = await WebAssembly.compile(readWasm(`@jsquash/${kind}/codec/${path}.wasm`));
		if (kind === 'png') memory = (await codec.init(module))?.memory;
		else {
			await codec.init({
				instantiateWasm(imports: WebAssembly.Imports, receive: (instance: WebAssembly.Instance) => void) {
					const instance = new WebAssembly.Instance(module, imports);
					memory = Object.values(instance.exports).find((value) => value instanceof WebAssembly.Memory);
					receive(instance);
					return instance.exports;
				},
			});
		}
		const { data } = await codec.default(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
		return { data, memoryBytes: (memory?.buffer.byteLength ?? Number.NaN) + data.length + 2 * bytes.length };
	},
};

/** ImageMagick, without a call that converts profiles: its size decides. */
const magick: Way = {
	name: '@imagemagick/magick-wasm',
	ownLines: 'about 80',
	wasm: ['@imagemagick/magick-wasm/magick.wasm'],
	price: 'CPU time',
	async decode(bytes) {
		const { initializeImageMagick, ImageMagick, MagickFormat, ColorSpace } = await optional('@imagemagick/magick-wasm');
		await initializeImageMagick(readWasm('@imagemagick/magick-wasm/magick.wasm'));
		return ImageMagick.read(bytes, (image: MagickImage) => {
			image.colorSpace = ColorSpace.sRGB;
			return image.write(MagickFormat.Rgba, (data: Uint8Array) => ({ data: data.slice(), memoryBytes: Number.NaN }));
		});
	},
};

/** What `wrangler dev` does for the Images binding: sharp. */
const images: Way = {
	name: "the platform's Images binding (here: sharp, as in `wrangler dev`)",
	ownLines: 'about 60',
	wasm: [],
	price: '$497.50',
	async decode(bytes) {
		const data = await sharp(bytes).rotate().toColourspace('srgb').ensureAlpha().raw().toBuffer();
		return { data, memoryBytes: Number.NaN };
	},
};

interface MagickImage {
	colorSpace: unknown;
	write<Result>(format: unknown, use: (data: Uint8Array) => Result): Result;
}

// biome-ignore lint/suspicious/noExplicitAny: packages that may be absent have no types here
async function optional(name: string): Promise<any> {
	return import(name);
}

function readWasm(specifier: string): Buffer<ArrayBuffer> {
	return readFileSync(fileURLToPath(import.meta.resolve(specifier)));
}

function linesOf(folder: URL): number {
	return readdirSync(folder).reduce(
		(sum, name) => sum + readFileSync(new URL(name, folder), 'utf8').split('\n').length - 1,
		readFileSync(new URL('../thumbnail.ts', folder), 'utf8').split('\n').length - 1,
	);
}

/** Mean and largest difference from sharp over the fixtures whose names have this part; or why there is none. */
async function colours(way: Way, part: string): Promise<string> {
	let [sum, count, largest] = [0, 0, 0];
	for (const name of readdirSync(FIXTURES).filter((file) => file.includes(part) && /\.(jpg|png|webp)$/.test(file))) {
		const file = new Uint8Array(readFileSync(new URL(name, FIXTURES)));
		const { data: right, info } = await sharp(file)
			.rotate()
			.toColourspace('srgb')
			.ensureAlpha()
			.raw()
			.toBuffer({ resolveWithObject: true });
		try {
			const { data } = await way.decode(file, info);
			for (const [index, level] of right.entries()) {
				const difference = Math.abs(level - (data[index] ?? 0));
				sum += difference;
				largest = Math.max(largest, difference);
			}
			count += right.length;
		} catch {
			return `${name}: fails`;
		}
	}
	return `${(sum / count).toFixed(1)}, ${largest}`;
}

async function photos() {
	const photo = (megapixels: number) => {
		const width = Math.round(Math.sqrt((megapixels * MEGABYTE * 1000) / 872));
		return sharp(PHOTO).resize(width, Math.round((width * 872) / 1000), { fit: 'fill' });
	};
	return [
		['JPEG, 12 MP', await photo(12).jpeg().toBuffer()],
		['PNG, 8 MP', await photo(8).png().toBuffer()],
		['WebP, 8 MP', await photo(8).webp().toBuffer()],
	] as const;
}

async function cost(way: Way, file: Buffer): Promise<string> {
	const before = performance.now();
	try {
		const { memoryBytes } = await way.decode(new Uint8Array(file), { width: 320, height: 320 });
		const ms = Math.round(performance.now() - before);
		const memory = Number.isNaN(memoryBytes) ? '' : `${Math.round(memoryBytes / MEGABYTE)} MB, `;
		return `${memory}${ms} ms`;
	} catch {
		return 'fails';
	}
}

function wasmSizes(way: Way): string {
	if (way.wasm.length === 0) return '0';
	try {
		const files = way.wasm.map(readWasm);
		const total = (of: (file: Buffer) => number) => Math.round(files.reduce((sum, file) => sum + of(file), 0) / 1_024);
		return `${total((file) => file.length)} KiB, ${total((file) => gzipSync(file).length)} KiB`;
	} catch {
		return 'not installed';
	}
}

async function main(): Promise<void> {
	const files = await photos();
	const rows = [
		[
			'',
			'own lines',
			'WASM, gzipped',
			'lossy WebP',
			'Display P3',
			'CMYK',
			...files.map(([name]) => name),
			'price of a million',
		],
	];
	for (const way of [ours, photon, jsquash, magick, images]) {
		const row = [way.name, way.ownLines, wasmSizes(way)];
		for (const part of ['lossy', 'display-p3', 'cmyk']) row.push(await colours(way, part));
		for (const [, file] of files) row.push(await cost(way, file));
		rows.push([...row, way.price]);
		console.log(row.join(' | '));
	}
	const [head = [], ...body] = rows.map((row) => `| ${row.join(' | ')} |`);
	const rule = `|${'---|'.repeat(rows[0]?.length ?? 0)}`;
	writeFileSync(
		new URL('bench/results/thumbnail-codecs.md', ROOT),
		`${HEADING}\n${[head, rule, ...body].join('\n')}\n`,
	);
}

const HEADING = `# Ways to make a thumbnail

Written by \`node bench/thumbnail-codecs.ts\`, Node ${process.version}. Colours: the mean and the largest difference from sharp, in levels of 255.
The photos: memory and time for a thumbnail of 320 pixels by this task, and for decoding alone by the others. Memory is given where it was measured; "about" marks an estimate. The binding's row is sharp
in Node, and not the deployed service.
`;

await main();
