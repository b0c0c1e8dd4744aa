// What tools do with the places at which they are used.

import { KINDS, angleOf, periodAt, tidy } from "./studio-filters.js";

const LONGEST = KINDS.stripe.usual[1];

export const HINTS = {
  move: "Drag to move the view; the wheel or two fingers zoom.",
  notch: "Click a bright spot to remove its wave, and its mirror; drag to make the notch wider.",
  ring: "Drag from one radius to another: only the periods in between are kept.",
  lowpass: "Click or drag: periods that are shorter than there are removed.",
  highpass: "Click or drag: periods that are longer than there are removed.",
  stripe: "Click a line of bright spots, or drag to turn: all stripes at that angle are removed, with periods up to 45 px.",
  brush: "Paint over what is to be removed.",
  erase: "Erase what was painted.",
};

// Cycles per pixel, of a coefficient: cycles across the image.
export function frequencyOf({ kx, ky }, facts) {
  return { fx: kx / facts.width, fy: ky / facts.height };
}

// The filter that a tool makes which was put down at `from` and is now at `at`; null: none. A notch
// takes out the `wave`, which may lie beside `from`, and stripes have its angle until they are turned.
export function filterOf(tool, { at, from, wave }, facts) {
  const moved = Math.hypot(at.kx - from.kx, at.ky - from.ky);
  if (tool === "stripe") {
    const { fx, fy } = frequencyOf(moved > 2 ? at : wave, facts);
    return fx || fy ? { kind: "stripe", numbers: [tidy(angleOf(fx, fy)), LONGEST] } : null;
  }
  if (tool === "notch") {
    const { fx, fy } = frequencyOf(wave, facts);
    const f = Math.hypot(fx, fy);
    if (f === 0) return null; // the mean stays
    const there = frequencyOf(at, facts);
    const away = Math.min(1, Math.hypot(there.fx - fx, there.fy - fy) / f);
    const width = moved > 2 ? Math.max(0.01, Number(away.toFixed(2))) : 0.1;
    return { kind: "notch", numbers: [tidy(1 / f), tidy(angleOf(fx, fy)), width] };
  }
  const [one, two] = [at, from].map((each) => {
    const { fx, fy } = frequencyOf(each, facts);
    return Math.hypot(fx, fy);
  });
  if (one === 0) return null;
  if (tool !== "ring") return { kind: tool, numbers: [round(periodAt(one)), 0.5] };
  const wide = two > 0 && Math.abs(Math.log2(one / two)) > 0.1;
  const [low, high] = wide ? [Math.min(one, two), Math.max(one, two)] : [one / 1.25, one * 1.25];
  const numbers = [round(periodAt(high)), round(periodAt(low)), 0.5];
  return numbers[0] < numbers[1] ? { kind: "bandpass", numbers } : null;
}

function round(period) {
  return Math.max(2, tidy(period, 4));
}
