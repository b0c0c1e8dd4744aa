// A mask over the spectrum: one byte for each coefficient, as in a grey picture of its size.

export class Mask {
  constructor(width, height) {
    this.width = width;
    this.height = height;
    this.levels = new Uint8Array(width * height).fill(255);
  }

  copy() {
    const made = new Mask(this.width, this.height);
    made.levels.set(this.levels);
    return made;
  }

  // A disc around a coefficient, and the one around its mirror.
  paint({ kx, ky }, radius, level) {
    const { width, height } = this;
    for (const sign of [1, -1]) {
      const column = (width >> 1) + sign * kx;
      const row = (height >> 1) - sign * ky;
      for (let y = Math.max(0, Math.ceil(row - radius)); y <= Math.min(height - 1, row + radius); y++) {
        const half = Math.sqrt(radius ** 2 - (y - row) ** 2);
        const from = Math.max(0, Math.ceil(column - half));
        const to = Math.min(width - 1, Math.floor(column + half));
        if (to >= from) this.levels.fill(level, y * width + from, y * width + to + 1);
      }
    }
  }

  get isWhite() { return this.levels.every((level) => level === 255); }

  // The bytes of a grey PNG. Canvases would write one in colour.
  async toPng() {
    const { width, height } = this;
    const rows = new Uint8Array(height * (1 + width));
    for (let row = 0; row < height; row++) {
      rows.set(this.levels.subarray(row * width, (row + 1) * width), row * (1 + width) + 1);
    }
    const header = new DataView(new ArrayBuffer(13));
    header.setUint32(0, width);
    header.setUint32(4, height);
    header.setUint8(8, 8); // bits; the colour type, 0, is grey
    const packed = new Response(new Blob([rows]).stream().pipeThrough(new CompressionStream("deflate")));
    return new Blob([
      new Uint8Array([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      ...chunk("IHDR", new Uint8Array(header.buffer)),
      ...chunk("IDAT", new Uint8Array(await packed.arrayBuffer())),
      ...chunk("IEND", new Uint8Array()),
    ], { type: "image/png" });
  }

  static async fromPng(blob, width, height) {
    const bitmap = await createImageBitmap(blob, { colorSpaceConversion: "none" });
    const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, width, height);
    const made = new Mask(width, height);
    for (let i = 0; i < made.levels.length; i++) made.levels[i] = data[4 * i];
    return made;
  }
}

function chunk(name, body) {
  const head = new Uint8Array(8);
  new DataView(head.buffer).setUint32(0, body.length);
  for (let i = 0; i < 4; i++) head[4 + i] = name.charCodeAt(i);
  const sum = new Uint8Array(4);
  new DataView(sum.buffer).setUint32(0, checksum([head.subarray(4), body]));
  return [head, body, sum];
}

function checksum(parts) { // CRC-32
  let sum = 0xffffffff;
  for (const part of parts) {
    for (const byte of part) sum = TABLE[(sum ^ byte) & 0xff] ^ (sum >>> 8);
  }
  return (sum ^ 0xffffffff) >>> 0;
}

const TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let value = byte;
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0xedb88320 : value >>> 1;
  return value;
});
