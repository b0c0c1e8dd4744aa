// Previews at screen size, which a worker makes while filters are being changed.

const LONGEST = 512; // pixels of a side

export class Preview {
  // `onPicture(picture, reduced)` gets the latest preview, and what it was made of.
  constructor({ width, height }, onPicture) {
    const longest = Math.max(width, height);
    this.size = { width, height };
    this.side = Math.min(LONGEST, 2 ** Math.ceil(Math.log2(Math.max(2, longest))));
    this.says = longest > LONGEST ? `at most ${LONGEST} pixels` : "all pixels";
    this.onPicture = onPicture;
    this.drawn = 0; // the one that is shown
    this.wanted = 0; // the last one that was asked for
    this.busy = false;
    this.worker = new Worker(new URL("./studio-worker.js", import.meta.url), { type: "module" });
    this.worker.onmessage = ({ data }) => this.#take(data);
  }

  // From now on, previews are of this image.
  begin(image) {
    const { side, size } = this;
    this.reduced = new OffscreenCanvas(side, side);
    const context = this.reduced.getContext("2d", { willReadFrequently: true });
    context.imageSmoothingQuality = "high";
    context.drawImage(image, 0, 0, side, side);
    const pixels = context.getImageData(0, 0, side, side).data;
    this.worker.postMessage({ pixels, colour: hasColour(pixels), side, ...size });
  }

  // While one is being made, only the last one that is asked for waits.
  ask(filters, masks) {
    this.wanted += 1;
    this.next = { filters, masks };
    if (!this.busy) this.#send();
  }

  #send() {
    const { filters, masks } = this.next;
    const used = filters.filter((each) => each.kind === "mask" && masks[each.sha256]);
    this.busy = true;
    this.worker.postMessage({
      ticket: this.wanted,
      filters: filters.map(({ kind, numbers, sha256 }) => ({ kind, numbers, sha256 })),
      masks: Object.fromEntries(used.map(({ sha256 }) => [sha256, masks[sha256].levels])),
    });
  }

  #take({ ticket, out }) {
    const { side } = this;
    this.busy = false;
    this.drawn = ticket;
    const picture = new OffscreenCanvas(side, side);
    picture.getContext("2d").putImageData(new ImageData(out, side, side), 0, 0);
    this.onPicture(picture, this.reduced);
    if (this.wanted > this.drawn) this.#send();
  }
}

function hasColour(pixels) {
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return true;
  }
  return false;
}
