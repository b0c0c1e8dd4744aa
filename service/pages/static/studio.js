// The spectrum studio. Its state is a text, `filter=…&channel=…`, which stands in the address: undo
// keeps such texts, a link is one, and the service makes the exact picture from it.

import { format, parse, tidy } from "./studio-filters.js";
import { History } from "./studio-history.js";
import { ImageView, channelOf } from "./studio-image.js";
import { Mask } from "./studio-mask.js";
import { list, reading, tell } from "./studio-panel.js";
import { Preview } from "./studio-preview.js";
import { Service } from "./studio-service.js";
import { SpectrumView } from "./studio-spectrum.js";
import { HINTS, filterOf, frequencyOf } from "./studio-tools.js";

const KEPT_MASKS = 4; // beside those that are used: each takes a byte for each pixel of the image
const LARGEST_MASK = 1 << 26; // coefficients: larger ones do not fit into canvases everywhere

const root = document.querySelector("[data-studio]");
const find = (name) => document.querySelector(`[data-${name}]`);
const facts = JSON.parse(root.dataset.studio);
const service = new Service(facts.asset, find("image"));
const channelField = find("channel");
const masks = {}; // by their SHA-256
const preview = new Preview(facts, (picture, reduced) => {
  if (!isExact) image.show(filters.length ? picture : null, reduced);
  root.dataset.drawn = preview.drawn;
  caption();
});

let filters = [];
let channel = channelField?.value ?? "luma";
let history;
let spectrum;
let image;
let whole; // the image in its colours
let used = null; // what a tool is doing
let taking = 0; // the last state that was asked for
let resting = 0; // the last exact picture that was asked for
let isExact = true;
let state = "The image as it came in";

start();

async function start() {
  const [magnitude, before] = await Promise.all([service.magnitude(channel), service.before()]);
  whole = before;
  image = new ImageView(find("image"), channelOf(whole, channel), facts);
  image.onSplit = (share) => {
    find("split").value = 100 * share;
    image.split = share;
    image.draw();
  };
  spectrum = new SpectrumView(find("spectrum"), magnitude, facts, { onPoint: point, onTool: use });
  preview.begin(image.before);
  listen();
  chooseTool("notch");
  const asked = new URLSearchParams(location.search);
  const name = `studio-${facts.asset}`;
  history = new History(name, textOf(asked.get("filter") ?? "", asked.get("channel") || "luma"));
  if (!(await take(history.current))) history = new History(name, textOf("", channel));
  root.dataset.ready = "";
}

// State

function textOf(filter, name) {
  return new URLSearchParams({ filter, channel: name }).toString().replace(/%3A/g, ":").replace(/%2C/g, ",");
}

// Shows a state that was linked, typed, undone or redone, as the service reads it. What it refuses
// changes nothing: the state that is shown stays, and the fault is told.
async function take(text, { keep = false } = {}) {
  const ticket = ++taking;
  let read;
  try {
    const said = await service.describe(text);
    read = parse(said.filter);
    await loadMasks(read);
    if (ticket !== taking) return false;
    await choose(said.channel);
  } catch (error) {
    if (ticket === taking) refuse(error.message);
    buttons();
    return false;
  }
  show(read);
  await rest({ keep });
  return true;
}

// Another channel is another image, with another spectrum.
async function choose(name) {
  if (name === channel) return;
  const offered = channelField ? [...channelField.options].map((each) => each.value) : ["luma"];
  if (!offered.includes(name)) throw new Error(`channel: of this image the studio shows ${offered.join(", ")}`);
  spectrum.picture(await service.magnitude(name));
  channel = name;
  channelField.value = name;
  image.before = channelOf(whole, name);
  preview.begin(image.before);
}

async function loadMasks(some) {
  for (const { kind, sha256 } of some) {
    if (kind !== "mask" || masks[sha256]) continue;
    masks[sha256] = await Mask.fromPng(await service.mask(sha256), facts.width, facts.height);
  }
}

// Masks that are needed again are retrieved again.
function forgetMasks() {
  const needed = new Set(filters.map((each) => each.sha256));
  for (const name of Object.keys(masks).filter((each) => !needed.has(each)).slice(0, -KEPT_MASKS)) {
    delete masks[name];
  }
}

// Shows filters as they are being changed: the preview follows.
function show(changed) {
  filters = changed;
  resting += 1; // an exact picture that is still being made is not of these
  isExact = false;
  spectrum.show(filters, masks);
  say(`a preview of ${preview.says}`);
  preview.ask(filters, masks);
}

function change(changed) {
  show(changed);
  return rest();
}

// Has the exact picture made, and keeps the state.
async function rest({ keep = true } = {}) {
  const text = textOf(format(filters), channel);
  if (keep) history.add(text);
  forgetMasks();
  list(filters, change);
  buttons();
  const address = filters.length || channel !== "luma" ? `?${text}` : location.pathname;
  window.history.replaceState(null, "", address);
  refuse("");
  const ticket = ++resting;
  try {
    if (filters.length) say("working out the exact picture …");
    const made = filters.length ? service.filtered(text) : null;
    const [said, picture] = await Promise.all([service.describe(text), made]);
    if (ticket !== resting) return;
    const canonical = textOf(said.filter, said.channel);
    history.amend(canonical);
    if (filters.length) window.history.replaceState(null, "", `?${canonical}`);
    tell(said, filters, service);
    exact(picture);
  } catch (error) {
    if (ticket !== resting || error.name === "AbortError") return;
    refuse(error.message);
    say(`a preview of ${preview.says}; the exact picture could not be made`);
  }
}

function exact(picture) {
  isExact = true;
  image.show(picture);
  say(picture ? "exact, as the command below makes it" : "the image as it came in");
  root.dataset.exact = resting;
}

// Tools

function use(phase, at, from, byKey = false) {
  if (phase === "start") {
    used = { before: filters, at, wave: byKey ? from : spectrum.strongestNear(from) };
    image.point(null); // the wave would cover what changes
  }
  if (!used) return;
  if (phase === "cancel") {
    restore();
  } else if (spectrum.tool === "brush" || spectrum.tool === "erase") {
    paint(phase, at);
  } else {
    const made = filterOf(spectrum.tool, { at, from, wave: used.wave }, facts);
    if (phase !== "end") show(made ? [...used.before, made] : used.before);
    else if (made) change([...used.before, made]);
    else restore();
    if (phase === "end") used = null;
  }
}

// Shows what was there before a tool was used.
function restore() {
  const { before } = used;
  used = null;
  show(before);
  return rest({ keep: false });
}

async function paint(phase, at) {
  if (facts.width * facts.height > LARGEST_MASK) {
    used = null;
    refuse("This image is too large to paint here: paint over its magnitude picture in an image editor, and name the file in the filter.");
    return;
  }
  if (phase === "start") {
    const last = filters.findLast((each) => each.kind === "mask");
    used.mask = masks[last?.sha256]?.copy() ?? new Mask(facts.width, facts.height);
    used.others = filters.filter((each) => each !== last);
  }
  const { mask, others } = used;
  mask.stroke(used.at, at, spectrum.brush, spectrum.tool === "brush" ? 0 : 255);
  used.at = at;
  masks.painting = mask;
  show([...others, { kind: "mask", sha256: "painting" }]);
  if (phase !== "end") return;
  const stroke = used;
  used = null;
  if (mask.isWhite) {
    change(others);
    return;
  }
  try {
    const { name, sha256 } = await service.keepMask(await mask.toPng());
    masks[sha256] = mask;
    if (!used) await change([...others, { kind: "mask", file: name, sha256 }]); // else: the next stroke has it
  } catch (error) {
    used = stroke;
    await restore();
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
  const wave = coefficient && frequencyOf(coefficient, facts);
  if (!used) image.point(wave && (wave.fx || wave.fy) ? wave : null);
  const text = coefficient ? reading(wave, facts) : "Point at the spectrum to read it.";
  find("reading").textContent = text;
  if (spoken) find("spoken").textContent = text;
}

function say(text) {
  state = text[0].toUpperCase() + text.slice(1);
  caption();
}

function caption() {
  const looksAtRemoved = image?.mode === "removed" && image.after;
  find("state").textContent = looksAtRemoved ? `${removed()}. ${state}` : state;
}

function removed() {
  const { factor, most } = image.removed;
  return most ? `What was removed, × ${factor} around middle grey` : "Nothing was removed";
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
    take(textOf(event.target.elements.filter.value.trim(), channelField?.value ?? "luma"), { keep: true });
  });
  channelField?.addEventListener("change", () => take(textOf(format(filters), channelField.value), { keep: true }));
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
