// The image beside the spectrum: as it came in, filtered, both, or what was removed; and the wave at
// which the cursor points.

const COARSEST = 2.5; // screen pixels: a finer wave cannot be drawn

export class ImageView {
  constructor(canvas, before, facts) {
    Object.assign(this, { canvas, before, facts });
    this.context = canvas.getContext("2d");
    this.after = null;
    this.removed = null;
    this.mode = "split";
    this.split = 0.5;
    this.wave = null;
    this.#listen();
    this.draw();
  }

  // `after` is a picture, `removed` too: any that a canvas can draw. Null: nothing is filtered.
  show(after, removed) {
    Object.assign(this, { after, removed });
    this.draw();
  }

  point(wave) {
    this.wave = wave;
    this.draw();
  }

  draw() {
    cancelAnimationFrame(this.frame);
    this.frame = requestAnimationFrame(() => this.#paint());
  }

  #paint() {
    const { context, canvas, mode, before } = this;
    const { width, height } = canvas;
    const after = this.after ?? before;
    if (mode === "removed") {
      context.fillStyle = "#808080";
      context.fillRect(0, 0, width, height);
      if (this.removed) context.drawImage(this.removed, 0, 0, width, height);
    } else {
      this.#picture(mode === "before" ? before : after);
      if (mode === "split") this.#divide(before);
    }
    if (this.wave) this.#drawWave(this.wave);
  }

  #picture(picture) {
    const { context, canvas, facts } = this;
    // Of 12 bits in 16, browsers would show black.
    const dark = facts.white > 255 && facts.white < 65535;
    context.filter = dark ? `brightness(${65535 / facts.white})` : "none";
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    context.filter = "none";
  }

  #divide(before) {
    const { context, canvas } = this;
    const at = Math.round(this.split * canvas.width);
    context.save();
    context.beginPath();
    context.rect(0, 0, at, canvas.height);
    context.clip();
    this.#picture(before);
    context.restore();
    context.fillStyle = "#fff";
    context.fillRect(at - 1.5, 0, 3, canvas.height);
    context.fillStyle = "rgb(0 0 0 / 55%)";
    context.fillRect(at + 1.5, 0, 1, canvas.height);
    this.#label("Original", 10, "left");
    this.#label("Filtered", canvas.width - 10, "right");
  }

  #label(text, x, align) {
    const { context, canvas } = this;
    const size = Math.round(canvas.width / 45);
    context.font = `600 ${size}px system-ui, sans-serif`;
    context.textAlign = align;
    context.lineWidth = size / 5;
    context.strokeStyle = "rgb(0 0 0 / 70%)";
    context.strokeText(text, x, size * 1.5);
    context.fillStyle = "#fff";
    context.fillText(text, x, size * 1.5);
  }

  // cos 2π(fx x - fy y), rows running down: a product of columns and rows.
  #drawWave({ fx, fy }) {
    const { canvas, facts } = this;
    const scale = facts.width / canvas.width; // image pixels of a screen pixel
    if (Math.hypot(fx, fy) * scale > 1 / COARSEST) return;
    const { width, height } = canvas;
    this.overlay ??= new OffscreenCanvas(width, height);
    const context = this.overlay.getContext("2d");
    const picture = context.createImageData(width, height);
    const pixels = new Uint32Array(picture.data.buffer);
    const columns = turns(width, fx * scale);
    const rows = turns(height, fy * scale);
    for (let y = 0, i = 0; y < height; y++) {
      for (let x = 0; x < width; x++, i++) {
        const value = columns.cos[x] * rows.cos[y] + columns.sin[x] * rows.sin[y];
        const strength = (0.45 * Math.abs(value) * 255) | 0;
        pixels[i] = (strength << 24) | (value > 0 ? 0xffe07c : 0x302000); // ABGR
      }
    }
    context.putImageData(picture, 0, 0);
    this.context.drawImage(this.overlay, 0, 0);
  }

  #listen() {
    const { canvas } = this;
    const drag = (event) => {
      if (this.mode !== "split" || event.buttons === 0) return;
      const box = canvas.getBoundingClientRect();
      this.onSplit?.(Math.min(1, Math.max(0, (event.clientX - box.left) / box.width)));
    };
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      drag(event);
    });
    canvas.addEventListener("pointermove", drag);
    canvas.addEventListener("keydown", (event) => {
      const by = { ArrowLeft: -0.02, ArrowRight: 0.02 }[event.key];
      if (!by) return;
      event.preventDefault();
      this.onSplit?.(Math.min(1, Math.max(0, this.split + by)));
    });
  }
}

// What was removed, as grey levels around the middle, made stronger until it can be seen.
export function residual(removed, width, height) {
  let most = 0;
  for (const value of removed) most = Math.max(most, Math.abs(value));
  const factor = most > 0.05 ? Math.max(1, Math.min(64, Math.floor(120 / most))) : 1;
  const canvas = new OffscreenCanvas(width, height);
  const context = canvas.getContext("2d");
  const picture = context.createImageData(width, height);
  const pixels = new Uint32Array(picture.data.buffer);
  for (let i = 0; i < removed.length; i++) {
    const level = Math.min(255, Math.max(0, 128 + factor * removed[i])) | 0;
    pixels[i] = 0xff000000 | (level * 0x010101);
  }
  context.putImageData(picture, 0, 0);
  return { canvas, factor, most };
}

function turns(count, frequency) {
  const cos = new Float32Array(count);
  const sin = new Float32Array(count);
  for (let i = 0; i < count; i++) {
    cos[i] = Math.cos(2 * Math.PI * frequency * i);
    sin[i] = Math.sin(2 * Math.PI * frequency * i);
  }
  return { cos, sin };
}
