// The crop page: keeps box, fields and commands together, and sends images to /images/….

import { inside, reshaped } from "./crop-box.js";
import { makeStage } from "./crop-stage.js";

const form = document.querySelector("[data-crop]");
const fields = form.elements;
const told = form.querySelector("[data-told]");
const size = form.querySelector("[data-size]");
const map = form.querySelector("[data-salience]");
const toggle = form.querySelector("[data-toggle]");
const counted = form.querySelectorAll("[data-counted]");
const commands = [...document.querySelectorAll("[data-command], [data-python]")];
const SIDES = ["x", "y", "width", "height"];
const LOOKING = 300; // milliseconds between two looks at the state of a smart crop

const image = { width: Number(form.dataset.width), height: Number(form.dataset.height) };
const state = { image, box: inside(typedBox() ?? { x: 0, y: 0, ...image }, image), ratio: 0 };
const texts = commands.map((each) => each.textContent);
const first = state.box;
let source = null; // the image as it came, once it was needed
let counting = null; // the timer of the countdown, while there is one

form.querySelector("[data-aspects]").disabled = false;
const show = makeStage(form.querySelector("[data-stage]"), state, change);
change(state.box);

for (const each of form.querySelectorAll("[name=aspect]")) {
  each.addEventListener("change", () => {
    const [across, down] = each.value.split(":").map(Number);
    state.ratio = down ? across / down : 0;
    change(reshaped(state.box, state.ratio, image));
  });
}
for (const name of SIDES) {
  fields[name].addEventListener("input", () => {
    const typed = typedBox();
    if (typed && isInside(typed)) change(inRatio(typed, name), name);
  });
  fields[name].addEventListener("change", () => change(inside(typedBox() ?? state.box, image)));
}
toggle.addEventListener("change", () => showMap(toggle.checked));
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const action = event.submitter?.value ?? "manual";
  const act = { find, manual: () => crop("/images/manual-crop"), smart: () => crop("/images/smart-crop") };
  working(act[action]);
});

// Box, fields, sizes and commands say the same; the field that is being typed in is left alone.
function change(box, typing = null) {
  state.box = box;
  show(box);
  for (const name of SIDES) if (name !== typing) fields[name].value = box[name];
  const share = (100 * box.width * box.height) / (image.width * image.height);
  size.textContent = `${number(box.width)} × ${number(box.height)} px`;
  const more = document.createElement("span");
  more.className = "share";
  more.textContent = ` · ${share.toPrecision(share < 10 ? 2 : 3)} % of the image`;
  size.append(more);
  commands.forEach((each, place) => {
    each.textContent = texts[place]
      .replace(`--crop ${listed(first, ",")} `, `--crop ${listed(box, ",")} `)
      .replace(`Box(${listed(first, ", ")})`, `Box(${listed(box, ", ")})`);
  });
}

function listed(box, between) {
  return SIDES.map((name) => box[name]).join(between);
}

function number(value) {
  return value.toLocaleString("en");
}

// The box of the fields, if they hold whole numbers.
function typedBox() {
  const box = Object.fromEntries(SIDES.map((name) => [name, Number(fields[name].value || NaN)]));
  return SIDES.every((name) => Number.isInteger(box[name])) ? box : null;
}

function isInside(box) {
  const same = inside(box, image);
  return SIDES.every((name) => same[name] === box[name]);
}

// Where an aspect is chosen, the other side follows the one that is typed.
function inRatio(box, typed) {
  if (!state.ratio || typed === "x" || typed === "y") return box;
  const wanted = typed === "width" ? box.width : box.height * state.ratio;
  const width = Math.max(1, Math.round(wanted));
  const height = typed === "height" ? box.height : Math.max(1, Math.round(width / state.ratio));
  return inside({ ...box, width, height }, image);
}

async function working(act) {
  say("");
  form.setAttribute("aria-busy", "true");
  const enabled = [...form.querySelectorAll("button[name=action]:not(:disabled)")];
  for (const each of enabled) each.disabled = true;
  try {
    await act();
  } catch (error) {
    say(error.message === "Failed to fetch" ? "The service does not answer. Try again." : error.message, true);
  } finally {
    form.removeAttribute("aria-busy");
    const waiting = counting !== null;
    for (const each of enabled) each.disabled = waiting && each.matches("[data-counted]");
  }
}

async function find() {
  await propose();
  say("The box is where the most stands out. Crop to it, or change it first.");
}

async function propose() {
  const { width, height } = state.box;
  const answer = await asked(`/pages/salient-box/${form.dataset.crop}?width=${width}&height=${height}`);
  change(await answer.json());
  showMap(true);
}

function showMap(shown) {
  toggle.checked = shown;
  if (shown && !map.src) map.src = map.dataset.from;
  map.hidden = !shown;
}

async function crop(address) {
  say("Sending the image …");
  source ??= await (await asked(form.dataset.source)).blob();
  const smart = address.endsWith("smart-crop");
  const { width, height } = state.box;
  const info = { product_id: fields.product_id.value, ...(smart ? { width, height } : {}) };
  const body = new FormData();
  body.append("product_info", JSON.stringify(info));
  if (!smart) body.append("crop_box", JSON.stringify(state.box));
  body.append("source_image", source, "image");
  const made = await (await asked(address, { method: "POST", body })).json();
  if (smart) {
    say("Looking for what stands out …");
    await propose();
  }
  const status = smart ? await ended(made.image_id) : "ready";
  await showMade(made.image_id);
  say(status === "ready" ? "The crop is ready, below." : "The crop failed: see below.", status !== "ready");
}

// The state of a smart crop in the end.
async function ended(id) {
  for (;;) {
    const { status } = await (await asked(`/images/status/${id}`)).json();
    if (status !== "waiting") return status;
    await new Promise((resolve) => setTimeout(resolve, LOOKING));
  }
}

// The page knows how to show a crop: take it from there, and keep its address.
async function showMade(id) {
  const query = new URLSearchParams({ ...state.box, product_id: fields.product_id.value, image: id });
  if (toggle.checked) query.set("map", "yes");
  const address = `${location.pathname}?${query}`;
  const page = new DOMParser().parseFromString(await (await asked(address)).text(), "text/html");
  const made = document.querySelector("[data-made]");
  made.replaceWith(page.querySelector("[data-made]"));
  history.replaceState(null, "", address);
  document.querySelector("[data-made]").scrollIntoView({ block: "nearest" });
}

// An answer, or an error that says why there is none; being too early starts the countdown.
async function asked(address, options = {}) {
  const answer = await fetch(address, options);
  if (answer.ok) return answer;
  const problem = await answer.json().catch(() => ({}));
  if (answer.status === 429) countDown(Number(answer.headers.get("Retry-After")) || 1);
  throw new Error(sentence(problem.detail ?? `the service answers ${answer.status}`));
}

function sentence(text) {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function countDown(seconds) {
  const end = Date.now() + 1000 * seconds;
  clearInterval(counting);
  counting = setInterval(tick, 250);
  function tick() {
    const left = Math.ceil((end - Date.now()) / 1000);
    if (left > 0) {
      for (const each of told.querySelectorAll(".count")) each.textContent = clock(left);
      return;
    }
    clearInterval(counting);
    counting = null;
    for (const each of counted) each.disabled = false;
    say("The next image is accepted now. Everything is as you left it.");
  }
}

function clock(seconds) {
  const parts = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  const shown = parts[0] ? parts : parts.slice(1);
  return shown.map((each, place) => (place ? String(each).padStart(2, "0") : each)).join(":");
}

function say(text, refused = false) {
  told.replaceChildren();
  if (!text) return;
  const line = document.createElement("p");
  line.textContent = text;
  if (refused && counting === null) line.className = "refusal";
  told.append(line);
  if (counting === null) return;
  const more = document.createElement("p");
  const count = document.createElement("span");
  count.className = "count";
  count.setAttribute("role", "timer");
  more.append("Nothing is lost: the buttons work again in ", count, ".");
  told.append(more);
}
