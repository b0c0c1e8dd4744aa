// Filters as text, and what each keeps at a frequency: for the preview and for drawing.
//
// A filter is {kind, numbers} or, for a mask, {kind: "mask", file, sha256}. Frequencies are in cycles
// per pixel with y up, periods in pixels, angles in degrees.

export const KINDS = {
  lowpass: { title: "Low-pass", labels: ["Period", "Edge"], usual: [, 0.5] },
  highpass: { title: "High-pass", labels: ["Period", "Edge"], usual: [, 0.5] },
  bandpass: { title: "Ring", labels: ["Shortest", "Longest", "Edge"], usual: [, , 0.5] },
  notch: { title: "Notch", labels: ["Period", "Angle", "Width"], usual: [, , 0.1] },
  stripe: { title: "Stripes", labels: ["Angle", "Longest"], usual: [, 64] },
};

const LEAST_RADIUS = 1.5; // of a notch, in coefficients

export function parse(text) {
  if (!text || text === "none") return [];
  return text.split(/\+(?![\d.])/).map((part) => {
    const [kind, rest = ""] = split(part.trim(), ":");
    if (kind === "mask") {
      const [file, sha256] = rest.split(",");
      return { kind, file, sha256 };
    }
    if (!KINDS[kind]) throw new Error(`“${part}” is not a filter`);
    const numbers = rest.split(",").map(Number);
    KINDS[kind].usual.forEach((value, place) => { numbers[place] ??= value; });
    return { kind, numbers };
  });
}

export function format(filters) {
  return filters.map((each) => {
    if (each.kind === "mask") return `mask:${each.file},${each.sha256}`;
    const numbers = [...each.numbers];
    const usual = KINDS[each.kind].usual;
    while (numbers.length && numbers.at(-1) === usual[numbers.length - 1]) numbers.pop();
    return `${each.kind}:${numbers.join(",")}`;
  }).join("+");
}

export function periodAt(frequency) {
  return tidy(Math.max(2, 1 / frequency));
}

// Enough digits to name any coefficient of any image.
export function tidy(value, digits = 7) {
  return Number(value.toPrecision(digits));
}

// The part of each coefficient that a filter keeps, as a function of fx, fy; null where it is 1.
export function gainOf(filter, { width, height }) {
  const n = filter.numbers;
  switch (filter.kind) {
    case "lowpass": return (fx, fy) => 1 - rise((fx * fx + fy * fy) * n[0] ** 2, n[1]);
    case "highpass": return (fx, fy) => rise((fx * fx + fy * fy) * n[0] ** 2, n[1]);
    case "bandpass": return (fx, fy) => {
      const squared = fx * fx + fy * fy;
      return (1 - rise(squared * n[0] ** 2, n[2])) * rise(squared * n[1] ** 2, n[2]);
    };
    case "notch": {
      const { fx: cx, fy: cy } = waveOf(n[0], n[1]);
      const rx = Math.max(n[2] / n[0], LEAST_RADIUS / width);
      const ry = Math.max(n[2] / n[0], LEAST_RADIUS / height);
      const keeps = (x, y) => {
        const apart = (x / rx) ** 2 + (y / ry) ** 2;
        return apart > 40 ? 1 : 1 - Math.exp(-0.5 * apart);
      };
      return (fx, fy) => keeps(fx - cx, fy - cy) * keeps(fx + cx, fy + cy);
    }
    case "stripe": {
      const { fx: ux, fy: uy } = waveOf(1, n[0]);
      const side = Math.abs(ux) > Math.abs(uy) ? height : width;
      return (fx, fy) => {
        const across = (fx * uy - fy * ux) * side;
        if (Math.abs(across) > 6) return 1;
        return 1 - Math.exp(-0.5 * across ** 2) * rise((fx * fx + fy * fy) * n[1] ** 2, 1);
      };
    }
    default: return null;
  }
}

export function waveOf(period, angle) {
  const turn = (angle * Math.PI) / 180;
  return { fx: Math.cos(turn) / period, fy: Math.sin(turn) / period };
}

export function angleOf(fx, fy) {
  return ((Math.atan2(fy, fx) * 180) / Math.PI + 180) % 180;
}

// From 0 to 1 like a cosine, over some octaves around 1, by the square of a ratio of frequencies.
function rise(squared, octaves) {
  const limit = 2 ** octaves;
  if (squared >= limit && squared > 1) return 1;
  if (squared * limit <= 1) return 0;
  return 0.5 + 0.5 * Math.sin((Math.PI * 0.5 * Math.log2(squared)) / octaves);
}

function split(text, at) {
  const place = text.indexOf(at);
  return place < 0 ? [text] : [text.slice(0, place), text.slice(place + 1)];
}
