// The spectrum in a canvas: zoom, pan, a cursor, and what the filters keep.
//
// It reports coefficients {kx, ky}, cycles across the image with y up, to the functions it is given:
// `onPoint(coefficient or null)`, and `onTool(phase, coefficient, start)` with the phases "start",
// "drag" and "end" of what a tool does.

import { gainOf, waveOf } from "./studio-filters.js";

const FURTHEST = 64; // screen pixels of a coefficient
const RED = 0x283ce1; // blue, green, red

export class SpectrumView {
  constructor(canvas, bitmap, facts, { onPoint, onTool }) {
    Object.assign(this, { canvas, facts, onPoint, onTool });
    this.bitmap = stretched(bitmap, facts);
    this.context = canvas.getContext("2d");
    this.tool = "notch";
    this.zoom = 1;
    this.centre = { x: facts.width / 2, y: facts.height / 2 }; // of the view, in coefficients
    this.cursor = null;
    this.brush = null;
    this.filters = [];
    this.masks = {};
    this.#listen();
    this.draw();
  }

  // Screen pixels of a coefficient.
  get scale() { return (this.canvas.width / this.facts.width) * this.zoom; }

  show(filters, masks) {
    Object.assign(this, { filters, masks });
    this.draw();
  }

  zoomBy(factor, at = null) {
    const fixed = at ?? { x: this.canvas.width / 2, y: this.canvas.height / 2 };
    const before = this.#place(fixed);
    const most = (FURTHEST * this.facts.width) / this.canvas.width;
    this.zoom = factor === 0 ? 1 : Math.min(Math.max(1, most), Math.max(1, this.zoom * factor));
    const after = this.#place(fixed);
    this.#moveBy(before.x - after.x, before.y - after.y);
  }

  // The strongest coefficient near one: nobody points at a single one of thousands.
  strongestNear({ kx, ky }) {
    const reach = Math.min(4, Math.max(0, Math.round(4 / this.scale)));
    let best = { kx, ky };
    for (let dy = -reach; dy <= reach; dy++) {
      for (let dx = -reach; dx <= reach; dx++) {
        const near = { kx: kx + dx, ky: ky + dy };
        if (this.#levelAt(near) > this.#levelAt(best)) best = near;
      }
    }
    return best;
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    const { context, canvas, scale, centre } = this;
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.fillStyle = "#000";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.setTransform(scale, 0, 0, scale, canvas.width / 2 - centre.x * scale, canvas.height / 2 - centre.y * scale);
    context.imageSmoothingEnabled = scale < 1;
    if (this.zoom > 1) context.drawImage(this.bitmap, 0, 0);
    else context.drawImage(this.#fitted(), 0, 0, this.facts.width, this.facts.height);
    for (const filter of this.filters) {
      if (filter.kind === "mask") this.#drawMask(this.masks[filter.sha256]);
      else this.#drawFilter(filter);
    }
    if (this.cursor) this.#drawCursor(this.cursor);
  }

  // The whole spectrum as large as the canvas, made once.
  #fitted() {
    if (!this.fitted) {
      const { width, height } = this.canvas;
      this.fitted = new OffscreenCanvas(width, height);
      const context = this.fitted.getContext("2d");
      context.imageSmoothingQuality = "high";
      context.drawImage(this.bitmap, 0, 0, width, height);
    }
    return this.fitted;
  }

  #drawMask(mask) {
    if (!mask) return;
    mask.overlay ??= overlayOf(mask);
    this.context.drawImage(mask.overlay, 0, 0);
  }

  #drawFilter(filter) {
    const { context, facts } = this;
    const [a, b] = filter.numbers;
    context.lineWidth = 2 / this.scale;
    context.strokeStyle = "#ffd24a";
    if (filter.kind === "notch") {
      const wave = waveOf(a, b);
      const width = filter.numbers[2] / a;
      for (const sign of [1, -1]) {
        this.#ellipse(
          sign * wave.fx, sign * wave.fy,
          Math.max(width, 1.5 / facts.width), Math.max(width, 1.5 / facts.height),
        );
      }
    } else if (filter.kind === "stripe") {
      const ray = waveOf(1, a);
      const inner = 1 / b;
      context.beginPath();
      for (const sign of [1, -1]) {
        context.moveTo(...this.#point(sign * ray.fx * inner, sign * ray.fy * inner));
        context.lineTo(...this.#point(sign * ray.fx, sign * ray.fy));
      }
      context.stroke();
    } else {
      const periods = filter.kind === "bandpass" ? [a, b] : [a];
      for (const period of periods) this.#ellipse(0, 0, 1 / period, 1 / period);
      this.#shade(filter);
    }
  }

  // What a filter around the centre removes, darkened.
  #shade(filter) {
    const { facts } = this;
    filter.shade ??= shadeOf(filter, facts);
    this.context.imageSmoothingEnabled = true;
    this.context.drawImage(filter.shade, 0, 0, facts.width, facts.height);
  }

  #drawCursor({ kx, ky }) {
    const { context, facts } = this;
    const brush = this.tool === "brush" || this.tool === "erase";
    context.lineWidth = 1.5 / this.scale;
    context.strokeStyle = brush ? "#ff8a70" : "#7ce0ff";
    for (const sign of [1, -1]) {
      const radius = brush ? this.brush : 6 / this.scale;
      this.#ellipse((sign * kx) / facts.width, (sign * ky) / facts.height, radius / facts.width, radius / facts.height);
    }
  }

  #ellipse(fx, fy, rx, ry) {
    const { context, facts } = this;
    context.beginPath();
    context.ellipse(...this.#point(fx, fy), rx * facts.width, ry * facts.height, 0, 0, 2 * Math.PI);
    context.stroke();
  }

  // Where a frequency lies in the picture: the middle of its coefficient.
  #point(fx, fy) {
    const { width, height } = this.facts;
    return [(width >> 1) + 0.5 + fx * width, (height >> 1) + 0.5 - fy * height];
  }

  #place({ x, y }) {
    const { canvas, centre, scale } = this;
    return { x: centre.x + (x - canvas.width / 2) / scale, y: centre.y + (y - canvas.height / 2) / scale };
  }

  #onCanvas(event) {
    const box = this.canvas.getBoundingClientRect();
    const scale = this.canvas.width / box.width;
    return { x: (event.clientX - box.left) * scale, y: (event.clientY - box.top) * scale };
  }

  #coefficient(event) {
    const { x, y } = this.#place(this.#onCanvas(event));
    return this.#inside({
      kx: Math.floor(x) - (this.facts.width >> 1),
      ky: (this.facts.height >> 1) - Math.floor(y),
    });
  }

  #inside({ kx, ky }) {
    const { width, height } = this.facts;
    const clamp = (value, least, most) => Math.min(most, Math.max(least, value));
    return {
      kx: clamp(kx, -(width >> 1), (width - 1) >> 1),
      ky: clamp(ky, -((height - 1) >> 1), height >> 1),
    };
  }

  #levelAt({ kx, ky }) {
    const { width, height } = this.facts;
    const column = (width >> 1) + kx;
    const row = (height >> 1) - ky;
    if (!kx && !ky) return -1; // the mean is no wave
    return column < 0 || row < 0 || column >= width || row >= height ? -1 : this.bitmap.levels[row * width + column];
  }

  #moveBy(x, y) {
    const { centre, facts } = this;
    const halfWidth = facts.width / this.zoom / 2;
    const halfHeight = facts.height / this.zoom / 2;
    centre.x = Math.min(facts.width - halfWidth, Math.max(halfWidth, centre.x + x));
    centre.y = Math.min(facts.height - halfHeight, Math.max(halfHeight, centre.y + y));
    this.draw();
  }

  #pointAt(coefficient, spoken = false) {
    this.cursor = coefficient;
    this.onPoint(coefficient, spoken);
    this.draw();
  }

  #listen() {
    const { canvas } = this;
    const touches = new Map();
    let start = null;
    let last = null;
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      touches.set(event.pointerId, this.#onCanvas(event));
      if (touches.size > 1) { // two fingers zoom and move
        start = null;
        return;
      }
      last = this.#onCanvas(event);
      start = this.#coefficient(event);
      this.#pointAt(start);
      if (this.tool !== "move") this.onTool("start", start, start);
    });
    canvas.addEventListener("pointermove", (event) => {
      const here = this.#onCanvas(event);
      if (touches.size > 1) {
        this.#pinch(touches, event.pointerId, here);
        return;
      }
      if (start && this.tool === "move") {
        this.#moveBy((last.x - here.x) / this.scale, (last.y - here.y) / this.scale);
        last = here;
      } else {
        this.#pointAt(this.#coefficient(event));
        if (start) this.onTool("drag", this.cursor, start);
      }
    });
    const end = (event) => {
      touches.delete(event.pointerId);
      if (start && this.tool !== "move") this.onTool("end", this.#coefficient(event), start);
      start = null;
    };
    canvas.addEventListener("pointerup", end);
    canvas.addEventListener("pointercancel", end);
    canvas.addEventListener("pointerleave", () => {
      if (start) return;
      this.cursor = null;
      this.onPoint(null);
      this.draw();
    });
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      this.zoomBy(Math.exp(-event.deltaY / 400), this.#onCanvas(event));
      this.onPoint(this.cursor);
    }, { passive: false });
    canvas.addEventListener("keydown", (event) => this.#key(event));
  }

  #pinch(touches, id, here) {
    const [one, two] = [...touches.values()];
    const before = Math.hypot(one.x - two.x, one.y - two.y);
    const old = touches.get(id);
    touches.set(id, here);
    const [a, b] = [...touches.values()];
    const middle = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    this.zoomBy(Math.hypot(a.x - b.x, a.y - b.y) / Math.max(1, before), middle);
    this.#moveBy((old.x - here.x) / 2 / this.scale, (old.y - here.y) / 2 / this.scale);
  }

  #key(event) {
    const step = event.shiftKey ? 10 : 1;
    const by = { ArrowLeft: [-step, 0], ArrowRight: [step, 0], ArrowUp: [0, step], ArrowDown: [0, -step] }[event.key];
    if (by) {
      const { kx, ky } = this.cursor ?? { kx: 0, ky: 0 };
      this.#pointAt(this.#inside({ kx: kx + by[0], ky: ky + by[1] }), true);
    } else if (event.key === "Enter" && this.cursor) {
      this.onTool("start", this.cursor, this.cursor, true);
      this.onTool("end", this.cursor, this.cursor, true);
    } else if ("+-0".includes(event.key)) {
      this.zoomBy({ "+": 2, "-": 0.5, 0: 0 }[event.key]);
    } else {
      return;
    }
    event.preventDefault();
  }
}

// A copy with the contrast of what is between noise and peaks, and the levels themselves.
function stretched(bitmap, { width, height }) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d", { willReadFrequently: true });
  context.drawImage(bitmap, 0, 0);
  const picture = context.getImageData(0, 0, width, height);
  const levels = new Uint8Array(width * height);
  const counts = new Uint32Array(256);
  for (let i = 0; i < levels.length; i++) counts[(levels[i] = picture.data[4 * i])] += 1;
  const low = quantile(counts, levels.length, 0.02);
  const high = Math.max(low + 1, quantile(counts, levels.length, 0.9995));
  for (let i = 0; i < levels.length; i++) {
    const value = (255 * (levels[i] - low)) / (high - low);
    picture.data[4 * i] = picture.data[4 * i + 1] = picture.data[4 * i + 2] = value;
  }
  context.putImageData(picture, 0, 0);
  canvas.levels = levels;
  return canvas;
}

function quantile(counts, total, share) {
  let sum = 0;
  return counts.findIndex((count) => (sum += count) >= share * total);
}

function overlayOf({ levels, width, height }) {
  return painted(width, height, (i) => (255 - levels[i]) * 0.6);
}

function shadeOf(filter, facts) {
  const keeps = gainOf(filter, facts);
  const width = Math.min(256, facts.width);
  const height = Math.min(256, facts.height);
  return painted(width, height, (i) => {
    const fx = ((i % width) + 0.5) / width - 0.5;
    const fy = 0.5 - (Math.floor(i / width) + 0.5) / height;
    return 150 * (1 - keeps(fx, fy));
  });
}

function painted(width, height, opacityAt) {
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer);
  for (let i = 0; i < pixels.length; i++) pixels[i] = (opacityAt(i) << 24) | RED;
  context.putImageData(picture, 0, 0);
  return canvas;
}
