// What the studio asks the service for.

export class Service {
  // Pictures are made no larger than `canvas`, on which they are drawn over and over.
  constructor(asset, canvas) {
    this.asset = asset;
    this.canvas = canvas;
  }

  async magnitude() {
    return createImageBitmap(await (await answer(`/retrieve/artifact/${this.asset}/magnitude`)).blob());
  }

  // The image as it is analysed: upright, and in a format that browsers show.
  before() {
    return this.#picture(`/retrieve/artifact/${this.asset}/crop?crop=pct%3A0%2C0%2C100%2C100`);
  }

  filtered(text) {
    this.asked?.abort();
    this.asked = new AbortController();
    return this.#picture(`/retrieve/artifact/${this.asset}/filtered?${text}`, this.asked.signal);
  }

  async describe(text) {
    return (await answer(`/pages/studio/${this.asset}?${text}`)).json();
  }

  maskUrl(sha256) {
    return `/pages/masks/${this.asset}/${sha256}`;
  }

  async mask(sha256) {
    return (await answer(this.maskUrl(sha256))).blob();
  }

  async keepMask(png) {
    const body = new FormData();
    body.append("mask", png, "mask.png");
    return (await answer(`/pages/masks/${this.asset}`, { method: "POST", body })).json();
  }

  async #picture(address, signal) {
    const whole = await createImageBitmap(await (await answer(address, { signal })).blob());
    const { width, height } = this.canvas;
    if (whole.width <= width) return whole;
    return createImageBitmap(whole, { resizeWidth: width, resizeHeight: height, resizeQuality: "high" });
  }
}

async function answer(address, options) {
  const found = await fetch(address, options);
  if (found.ok) return found;
  const problem = await found.json().catch(() => ({}));
  throw new Error(problem.detail ?? `The service answers with the status ${found.status}.`);
}
