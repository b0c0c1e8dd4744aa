// The preview, in a thread of its own: the image at screen size, filtered by masks.
//
// A reduced image has the low frequencies of the image, each in the same place: coefficient k is
// that of k cycles across the image. Notches and stripes are masks here; the exact result fits them
// to the pixels.

import { Transform } from "./studio-fft.js";
import { gainOf } from "./studio-filters.js";

let side, width, height, transform;
let planes = []; // pairs of colours, as the real and the imaginary part, transformed
let gains = new Map(); // by the text of the filter
const MOST_KEPT = 40;

onmessage = ({ data }) => {
  if (data.pixels) return begin(data);
  const re = new Float32Array(side * side);
  const im = new Float32Array(side * side);
  const gain = product(data.filters, data.masks);
  const out = new Uint8ClampedArray(4 * side * side);
  const removed = new Float32Array(side * side);
  planes.forEach((plane, pair) => {
    for (let i = 0; i < re.length; i++) {
      re[i] = plane.re[i] * gain[i];
      im[i] = plane.im[i] * gain[i];
    }
    const grey = planes.length === 1;
    const levels = pair === 0 && !grey ? (transform.both(re, im, 1), re) : transform.real(re, im);
    for (let i = 0, at = 0; i < levels.length; i++, at += 4) {
      if (pair === 0) {
        out[at] = levels[i];
        out[at + 1] = grey ? levels[i] : im[i];
        out[at + 3] = 255;
        removed[i] = plane.levels[i] - levels[i];
      }
      if (pair === 1 || grey) out[at + 2] = levels[i];
    }
  });
  postMessage({ ticket: data.ticket, out, removed }, [out.buffer, removed.buffer]);
};

// `pixels` are RGBA; a grey image needs one transform, colours two.
function begin({ pixels, colour, ...size }) {
  ({ side, width, height } = size);
  transform = new Transform(side);
  gains.clear();
  planes = (colour ? [[0, 1], [2, null]] : [[0, null]]).map(([real, imaginary]) => {
    const re = new Float32Array(side * side);
    const im = new Float32Array(side * side);
    for (let i = 0; i < re.length; i++) {
      re[i] = pixels[4 * i + real];
      if (imaginary !== null) im[i] = pixels[4 * i + imaginary];
    }
    const levels = re.slice();
    transform.both(re, im, -1);
    return { re, im, levels };
  });
}

function product(filters, masks) {
  const total = new Float32Array(side * side).fill(1);
  for (const filter of filters) {
    const gain = filter.kind === "mask" ? masked(masks[filter.sha256]) : tableOf(filter);
    if (gain) for (let i = 0; i < total.length; i++) total[i] *= gain[i];
  }
  total[0] = 1; // the mean stays
  return total;
}

function tableOf(filter) {
  const name = JSON.stringify(filter);
  if (!gains.has(name)) {
    if (gains.size >= MOST_KEPT) gains.clear();
    const keeps = gainOf(filter, { width, height });
    const table = new Float32Array(side * side);
    for (let row = 0; row < side; row++) {
      const ky = row > side / 2 ? side - row : -row;
      for (let column = 0; column < side; column++) {
        const kx = column > side / 2 ? column - side : column;
        table[row * side + column] = keeps(kx / width, ky / height);
      }
    }
    gains.set(name, table);
  }
  return gains.get(name);
}

// The lesser of the values at k and -k counts for both, as in the exact result.
function masked(levels) {
  if (!levels) return null;
  const table = new Float32Array(side * side);
  const at = (kx, ky) => levels[(((height >> 1) - ky + height) % height) * width + (((width >> 1) + kx + width) % width)];
  for (let row = 0; row < side; row++) {
    const ky = row > side / 2 ? side - row : -row;
    for (let column = 0; column < side; column++) {
      const kx = column > side / 2 ? column - side : column;
      const inside = Math.abs(kx) <= width / 2 && Math.abs(ky) <= height / 2;
      table[row * side + column] = inside ? Math.min(at(kx, ky), at(-kx, -ky)) / 255 : 1;
    }
  }
  return table;
}
