// The spectrum studio. Its state is a text, `filter=…&channel=…`, which stands in the address: undo
// keeps such texts, a link is one, and the service makes the exact picture from it.

import { KINDS, angleOf, format, parse, periodAt, tidy } from "./studio-filters.js";
import { History } from "./studio-history.js";
import { ImageView, residual } from "./studio-image.js";
import { Mask } from "./studio-mask.js";
import { Service } from "./studio-service.js";
import { SpectrumView } from "./studio-spectrum.js";

const PREVIEW = 512; // longest side of the preview in pixels
const LARGEST_MASK = 1 << 26; // coefficients: larger ones do not fit into canvases everywhere
const HINTS = {
  move: "Drag to move the view; the wheel or two fingers zoom.",
  notch: "Click a bright spot to remove its wave, and its mirror; drag to make the notch wider.",
  ring: "Drag from one radius to another: only the periods in between are kept.",
  lowpass: "Click or drag: periods that are shorter than there are removed.",
  highpass: "Click or drag: periods that are longer than there are removed.",
  brush: "Paint over what is to be removed.",
  erase: "Erase what was painted.",
};

const root = document.querySelector("[data-studio]");
const find = (name) => document.querySelector(`[data-${name}]`);
const facts = JSON.parse(root.dataset.studio);
const service = new Service(facts.asset, find("image"));
const channelField = find("channel");
const masks = {}; // by their SHA-256
const worker = new Worker(new URL("./studio-worker.js", import.meta.url), { type: "module" });

let filters = [];
let channel = channelField?.value ?? "luma";
let history;
let spectrum;
let image;
let painting = null;
let drawn = 0; // the preview that is shown
let wanted = 0; // the last one that was asked for
let busy = false;
let resting = 0; // the last exact picture that was asked for
let isExact = true;
let state = "The image as it came in";

start();

async function start() {
  const [magnitude, before] = await Promise.all([service.magnitude(), service.before()]);
  image = new ImageView(find("image"), before, facts);
  image.onSplit = (share) => {
    find("split").value = 100 * share;
    image.split = share;
    image.draw();
  };
  spectrum = new SpectrumView(find("spectrum"), magnitude, facts, { onPoint: point, onTool: use });
  beginPreview(before);
  listen();
  chooseTool("notch");
  const asked = new URLSearchParams(location.search);
  history = new History(`studio-${facts.asset}`, textOf(asked.get("filter") ?? "", channel));
  await take(history.current);
  root.dataset.ready = "";
}

// State

function textOf(filter, name) {
  return new URLSearchParams({ filter, channel: name }).toString();
}

// Shows a state that was linked, typed, undone or redone.
async function take(text) {
  const asked = new URLSearchParams(text);
  channel = asked.get("channel") || "luma";
  if (channelField) channelField.value = channel;
  let read;
  try {
    read = parse(asked.get("filter"));
    await loadMasks(read);
  } catch (error) {
    refuse(error.message);
    read = [];
  }
  show(read);
  await rest({ keep: false });
}

async function loadMasks(some) {
  for (const { kind, sha256 } of some) {
    if (kind !== "mask" || masks[sha256]) continue;
    masks[sha256] = await Mask.fromPng(await service.mask(sha256), facts.width, facts.height);
  }
}

// Shows filters as they are being changed: the preview follows.
function show(changed) {
  filters = changed;
  spectrum.show(filters, masks);
  preview();
}

function change(changed) {
  show(changed);
  return rest();
}

// Has the exact picture made, and keeps the state.
async function rest({ keep = true } = {}) {
  const text = textOf(format(filters), channel);
  if (keep) history.add(text);
  list();
  buttons();
  const address = filters.length || channel !== "luma" ? `?${text}` : location.pathname;
  window.history.replaceState(null, "", address);
  refuse("");
  const ticket = ++resting;
  try {
    if (!filters.length) {
      told(await service.describe(text));
      exact(null);
      return;
    }
    say("working out the exact picture …");
    const [said, picture] = await Promise.all([service.describe(text), service.filtered(text)]);
    if (ticket !== resting) return;
    const canonical = textOf(said.filter, said.channel);
    history.amend(canonical);
    window.history.replaceState(null, "", `?${canonical}`);
    told(said);
    exact(picture);
  } catch (error) {
    if (ticket !== resting || error.name === "AbortError") return;
    refuse(error.message);
    say(`a preview of ${previewSize()}; the exact picture could not be made`);
  }
}

function exact(picture) {
  isExact = true;
  image.show(picture, picture ? image.removed : null);
  say(picture ? "exact, as the command below makes it" : "the image as it came in");
  root.dataset.exact = resting;
}

// Preview

function beginPreview(before) {
  const longest = Math.max(facts.width, facts.height);
  const side = Math.min(PREVIEW, 2 ** Math.ceil(Math.log2(Math.max(2, longest))));
  const context = new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(before, 0, 0, side, side);
  const pixels = context.getImageData(0, 0, side, side).data;
  const colour = channel === "luma" && hasColour(pixels);
  if (channel !== "luma") only(pixels, ["red", "green", "blue"].indexOf(channel));
  const { width, height } = facts;
  worker.postMessage({ pixels, colour, side, width, height });
  worker.onmessage = ({ data }) => {
    busy = false;
    drawn = data.ticket;
    const picture = new OffscreenCanvas(side, side);
    picture.getContext("2d").putImageData(new ImageData(data.out, side, side), 0, 0);
    const { canvas, factor, most } = residual(data.removed, side, side);
    find("image").dataset.removed = most < 0.05 ? "nothing" : `× ${factor}`;
    if (!isExact) image.show(filters.length ? picture : null, filters.length ? canvas : null);
    else image.show(image.after, filters.length ? canvas : null);
    root.dataset.drawn = drawn;
    caption();
    if (wanted > drawn) send();
  };
}

function preview() {
  wanted += 1;
  isExact = false;
  say(`a preview of ${previewSize()}`);
  if (!busy) send();
}

function send() {
  busy = true;
  worker.postMessage({ ticket: wanted, filters: filters.map(plain), masks: levelsOf(filters) });
}

function plain({ kind, numbers, sha256 }) {
  return { kind, numbers, sha256 };
}

function levelsOf(some) {
  const used = some.filter((each) => each.kind === "mask" && masks[each.sha256]);
  return Object.fromEntries(used.map(({ sha256 }) => [sha256, masks[sha256].levels]));
}

function previewSize() {
  return Math.max(facts.width, facts.height) > PREVIEW ? "at most 512 pixels" : "all pixels";
}

function hasColour(pixels) {
  for (let i = 0; i < pixels.length; i += 4) {
    if (pixels[i] !== pixels[i + 1] || pixels[i] !== pixels[i + 2]) return true;
  }
  return false;
}

function only(pixels, place) {
  for (let i = 0; i < pixels.length; i += 4) pixels.fill(pixels[i + place], i, i + 3);
}

// Tools

function use(phase, at, from, byKey = false) {
  if (spectrum.tool === "brush" || spectrum.tool === "erase") {
    paint(phase, at);
    return;
  }
  if (phase === "start") painting = { before: filters, wave: byKey ? from : spectrum.strongestNear(from) };
  const made = filterOf(spectrum.tool, at, from);
  if (phase !== "end") {
    if (made) show([...painting.before, made]);
    return;
  }
  const { before } = painting;
  painting = null;
  if (made) change([...before, made]);
}

function filterOf(tool, at, from) {
  if (tool === "notch") {
    const { fx, fy } = frequencyOf(painting.wave);
    const f = Math.hypot(fx, fy);
    if (f === 0) return null; // the mean stays
    const moved = Math.hypot(at.kx - from.kx, at.ky - from.ky);
    const there = frequencyOf(at);
    const away = Math.min(1, Math.hypot(there.fx - fx, there.fy - fy) / f);
    const width = moved > 2 ? Math.max(0.01, Number(away.toFixed(2))) : 0.1;
    return { kind: "notch", numbers: [tidy(1 / f), tidy(angleOf(fx, fy)), width] };
  }
  const [one, two] = [at, from].map((each) => {
    const { fx, fy } = frequencyOf(each);
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

function frequencyOf({ kx, ky }) {
  return { fx: kx / facts.width, fy: ky / facts.height };
}

async function paint(phase, at) {
  if (facts.width * facts.height > LARGEST_MASK) {
    refuse("This image is too large to paint here: paint over its magnitude picture in an image editor, and name the file in the filter.");
    return;
  }
  if (phase === "start") {
    const last = filters.findLast((each) => each.kind === "mask");
    masks.painting = masks[last?.sha256]?.copy() ?? new Mask(facts.width, facts.height);
    painting = { others: filters.filter((each) => each !== last) };
  }
  const mask = masks.painting;
  mask.paint(at, spectrum.brush, spectrum.tool === "brush" ? 0 : 255);
  mask.overlay = null;
  show([...painting.others, { kind: "mask", sha256: "painting" }]);
  if (phase !== "end") return;
  const { others } = painting;
  painting = null;
  if (mask.isWhite) {
    change(others);
    return;
  }
  try {
    const { name, sha256 } = await service.keepMask(await mask.toPng());
    masks[sha256] = mask;
    change([...others, { kind: "mask", file: name, sha256 }]);
  } catch (error) {
    refuse(error.message);
  }
}

function chooseTool(name) {
  spectrum.tool = name;
  spectrum.brush = Number(find("brush").value);
  find("spectrum").dataset.tool = name;
  find("hint").textContent = HINTS[name];
  spectrum.draw();
}

// What is told

function point(coefficient, spoken = false) {
  const wave = coefficient && frequencyOf(coefficient);
  image.point(wave && (wave.fx || wave.fy) ? wave : null);
  const text = coefficient ? reading(coefficient, wave) : "Point at the spectrum to read it.";
  find("reading").textContent = text;
  if (spoken) find("spoken").textContent = text;
}

function reading({ kx, ky }, { fx, fy }) {
  if (!kx && !ky) return "The mean of the image.";
  const f = Math.hypot(fx, fy);
  const parts = [
    `Period ${digits(1 / f)} px at ${angleOf(fx, fy).toFixed(1)}°`,
    `${digits(f)} cycles per pixel (${digits(fx)} across, ${digits(fy)} up)`,
  ];
  if (facts.micrometres) {
    const [x, y] = facts.micrometres;
    const physical = Math.hypot(fx / x, fy / y);
    parts.push(`${digits(1 / physical)} µm, ${digits(physical)} cycles per µm`);
    if (x !== y) parts.push(`at ${angleOf(fx / x, fy / y).toFixed(1)}° in space`);
  }
  return parts.join(" · ");
}

function digits(value) {
  return String(Number(value.toPrecision(4))).replace("-", "−");
}

function say(text) {
  state = text[0].toUpperCase() + text.slice(1);
  caption();
}

function caption() {
  const factor = find("image").dataset.removed;
  const removed = factor === "nothing" ? "Nothing was removed" : `What was removed, ${factor} around middle grey, ${previewSize()}`;
  const looksAtRemoved = image?.mode === "removed" && filters.length && factor;
  find("state").textContent = looksAtRemoved ? removed : state;
}

function refuse(text) {
  const place = find("fault");
  place.textContent = text;
  place.hidden = !text;
}

function buttons() {
  find("undo").disabled = !history.canUndo;
  find("redo").disabled = !history.canRedo;
}

function told(said) {
  find("text").elements.filter.value = said.filter;
  find("same").hidden = !said.filter;
  find("needs").hidden = !filters.some((each) => each.kind === "mask");
  find("command").textContent = said.command;
  find("python").textContent = said.python;
  const links = filters.filter((each) => each.kind === "mask").map((each) => [each.file, service.maskUrl(each.sha256), each.file]);
  if (said.urls.filtered) links.unshift(["Filtered image", said.urls.filtered, ""]);
  links.push(["Record", said.urls.record, ""]);
  find("downloads").replaceChildren(...links.map(([text, href, download]) => {
    const link = Object.assign(document.createElement("a"), { textContent: text, href, download });
    const row = document.createElement("li");
    row.append(link);
    return row;
  }));
}

// The list of filters, each with fields for its numbers.
function list() {
  find("none").hidden = filters.length > 0;
  find("filters").replaceChildren(...filters.map((filter, place) => {
    const row = document.createElement("li");
    const kind = KINDS[filter.kind];
    const title = Object.assign(document.createElement("b"), { textContent: kind?.title ?? "Mask" });
    row.append(title);
    if (kind) row.append(...filter.numbers.map((value, at) => numberField(filter, place, at, value)));
    else row.append(Object.assign(document.createElement("span"), { className: "name", textContent: filter.file }));
    const remove = Object.assign(document.createElement("button"), { type: "button", className: "quiet", textContent: "Remove" });
    remove.setAttribute("aria-label", `Remove ${title.textContent} ${place + 1}`);
    remove.addEventListener("click", () => {
      change(filters.filter((_, other) => other !== place));
      find("spectrum").focus({ preventScroll: true });
    });
    row.append(remove);
    return row;
  }));
}

function numberField(filter, place, at, value) {
  const label = document.createElement("label");
  const field = Object.assign(document.createElement("input"), { type: "number", step: "any", value, required: true });
  label.append(KINDS[filter.kind].labels[at], field);
  field.addEventListener("change", async () => {
    if (!field.checkValidity()) return;
    const numbers = filter.numbers.with(at, Number(field.value));
    await change(filters.with(place, { ...filter, numbers, shade: undefined }));
    find("filters").children[place]?.querySelectorAll("input")[at]?.focus();
  });
  return label;
}

function listen() {
  for (const input of root.querySelectorAll("[name=tool]")) {
    input.addEventListener("change", () => chooseTool(input.value));
  }
  for (const input of root.querySelectorAll("[name=view]")) {
    input.addEventListener("change", () => {
      image.mode = input.value;
      image.draw();
      caption();
    });
  }
  for (const button of root.querySelectorAll("[data-zoom]")) {
    button.addEventListener("click", () => spectrum.zoomBy(Number(button.dataset.zoom)));
  }
  for (const button of document.querySelectorAll("[data-peak]")) {
    button.addEventListener("click", () => {
      const { period, angle } = facts.peaks[button.dataset.peak];
      change([...filters, { kind: "notch", numbers: [tidy(period), tidy(angle), 0.1] }]);
    });
  }
  find("brush").addEventListener("input", () => chooseTool(spectrum.tool));
  find("split").addEventListener("input", () => image.onSplit(find("split").value / 100));
  find("undo").addEventListener("click", () => take(history.undo()));
  find("redo").addEventListener("click", () => take(history.redo()));
  find("text").addEventListener("submit", (event) => {
    event.preventDefault();
    const text = textOf(event.target.elements.filter.value.trim(), channelField?.value ?? "luma");
    history.add(text);
    take(text);
  });
  channelField?.addEventListener("change", () => {
    const url = new URL(location.href);
    url.search = textOf(format(filters), channelField.value);
    location.assign(url); // another channel is another image
  });
  addEventListener("keydown", keys);
}

function keys(event) {
  if (event.target.matches("input:not([type=radio], [type=range]), select")) return;
  if (event.ctrlKey || event.metaKey) {
    const back = event.key === "z" && !event.shiftKey;
    const forth = event.key === "y" || (event.key.toLowerCase() === "z" && event.shiftKey);
    if (!back && !forth) return;
    event.preventDefault();
    take(back ? history.undo() : history.redo());
    return;
  }
  const input = event.altKey ? null : root.querySelector(`[data-key="${CSS.escape(event.key.toLowerCase())}"]`);
  if (!input) return;
  input.checked = true;
  chooseTool(input.value);
}
