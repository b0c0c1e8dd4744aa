// What is told beside the pictures: the filters with fields for their numbers, texts and downloads.

import { KINDS, angleOf } from "./studio-filters.js";

const find = (name) => document.querySelector(`[data-${name}]`);

// What there is to say of a frequency in cycles per pixel.
export function reading({ fx, fy }, facts) {
  if (!fx && !fy) return "The mean of the image.";
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

// What the service says of filters: their text, what makes the same, and where it is.
export function tell(said, filters, service) {
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
export function list(filters, change) {
  find("none").hidden = filters.length > 0;
  find("filters").replaceChildren(...filters.map((filter, place) => {
    const row = document.createElement("li");
    const kind = KINDS[filter.kind];
    const title = Object.assign(document.createElement("b"), { textContent: kind?.title ?? "Mask" });
    row.append(title);
    if (kind) row.append(...filter.numbers.map((value, at) => numberField(filters, place, at, change)));
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

function numberField(filters, place, at, change) {
  const filter = filters[place];
  const label = document.createElement("label");
  const field = Object.assign(document.createElement("input"), { type: "number", step: "any", value: filter.numbers[at], required: true });
  label.append(KINDS[filter.kind].labels[at], field);
  field.addEventListener("change", async () => {
    if (!field.checkValidity()) return;
    const numbers = filter.numbers.with(at, Number(field.value));
    await change(filters.with(place, { ...filter, numbers, shade: undefined }));
    find("filters").children[place]?.querySelectorAll("input")[at]?.focus();
  });
  return label;
}
