// The list of operations: every change is a change of the text in the address. The server reads the
// form, so that what an operation is called, and what is wrong with it, is known in one place only.

const SOON = 250; // milliseconds after the last key

const waiting = document.querySelector("[data-waiting]");
if (waiting) follow(waiting);
else if (document.querySelector("[data-operations]")) {
  document.addEventListener("submit", submitted);
  document.addEventListener("input", typed);
  for (const name of ["dragstart", "dragover", "drop", "dragend"]) document.addEventListener(name, dragged);
  document.addEventListener("keydown", pressed);
  addEventListener("popstate", () => show(location.href));
}

let timer, asked, held;

function submitted(event) {
  const pressed = event.submitter?.value ?? "show";
  if (!event.target.matches("[data-list]") || pressed === "run") return;
  event.preventDefault();
  change(pressed, event.submitter);
}

function typed(event) {
  if (!event.target.name?.startsWith("value-") && !event.target.name?.startsWith("name-")) return;
  clearTimeout(timer);
  timer = setTimeout(() => change("show", event.target), SOON);
}

// Alt and an arrow move the operation in which the focus is.
function pressed(event) {
  const step = event.target.closest?.(".step");
  const verb = { ArrowUp: "up", ArrowDown: "down" }[event.key];
  if (!step || !verb || !event.altKey) return;
  event.preventDefault();
  change(`${verb}-${step.dataset.place}`, event.target);
}

function dragged(event) {
  const step = event.target.closest?.(".step");
  if (event.type === "dragstart" && event.target.matches?.("[data-grip]")) {
    held = step;
    event.dataTransfer.effectAllowed = "move";
    event.dataTransfer.setData("text/plain", step.dataset.place);
    event.dataTransfer.setDragImage(step, 0, 0);
  } else if (held && event.type === "dragover" && step) {
    event.preventDefault();
    for (const each of document.querySelectorAll(".step")) each.classList.toggle("over", each === step && step !== held);
  } else if (held && event.type === "drop" && step) {
    event.preventDefault();
    const steps = [...document.querySelectorAll(".step")];
    if (steps.indexOf(held) < steps.indexOf(step)) step.after(held);
    else step.before(held);
    renumber();
    held = undefined;
    change("show", null);
  } else if (event.type === "dragend") {
    held = undefined;
    for (const each of document.querySelectorAll(".step.over")) each.classList.remove("over");
  }
}

// Fields are called by the place of their operation.
function renumber() {
  document.querySelectorAll(".step").forEach((step, index) => {
    for (const field of step.querySelectorAll("[name]")) {
      field.name = field.name.replace(/^(name|value)-\d+/, `$1-${index + 1}`);
    }
  });
}

async function change(verb, focused) {
  clearTimeout(timer);
  const form = document.querySelector("[data-list]");
  const body = new FormData(form);
  body.set("do", verb);
  await show(form.action, { method: "POST", body }, focused);
}

// Put the page of an answer in place of this one, with the focus and what was typed since.
async function show(address, options = {}, focused = null) {
  asked?.abort();
  asked = new AbortController();
  const kept = focused && { name: focused.name, value: focused.value, typed: focused.matches("input"), from: focused.selectionStart };
  let answer;
  try {
    answer = await fetch(address, { ...options, signal: asked.signal });
  } catch (error) {
    if (error.name !== "AbortError") say("The service does not answer.");
    return;
  }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.querySelector("[data-operations]");
  if (!fresh) return say("The service cannot read this list.");
  if (options.method && answer.url !== location.href) history.pushState(null, "", answer.url);
  const now = document.querySelector("[data-operations]");
  now.querySelector("[data-list]").replaceWith(fresh.querySelector("[data-list]"));
  swap(now.querySelector(".result"), fresh.querySelector(".result"));
  if (!kept) return;
  const field = [...document.querySelectorAll(`[name="${CSS.escape(kept.name)}"]`)].find((each) => kept.typed || each.value === kept.value);
  field?.focus({ preventScroll: true });
  if (kept.typed && field) field.setSelectionRange?.(kept.from, kept.from);
}

// The picture before stays until the next one is there.
async function swap(before, after) {
  const was = before.querySelector("[data-preview]");
  const next = after.querySelector("[data-preview]");
  if (was.getAttribute("src") === next.getAttribute("src")) return before.replaceWith(after);
  before.classList.add("busy");
  const mine = asked;
  try {
    await next.decode();
  } catch {
    if (mine === asked) say("The preview could not be made; Run may still work.");
  }
  if (mine === asked) before.replaceWith(after);
}

function say(text) {
  document.querySelector("[data-spoken]").textContent = text;
}

function follow(section) {
  const events = new EventSource(section.dataset.waiting);
  events.onmessage = (event) => {
    const { state, progress } = JSON.parse(event.data);
    if (!["queued", "running"].includes(state)) {
      events.close();
      location.reload();
      return;
    }
    section.querySelector("h2").textContent = state === "running" ? "It is running" : "It is in the queue";
    section.querySelector("[data-states]").replaceChildren(...progress.map(({ name, status, detail }) => {
      const item = document.createElement("li");
      const badge = document.createElement("span");
      badge.className = "badge";
      badge.textContent = status;
      item.append(`${name} `, badge);
      if (detail) {
        const code = document.createElement("code");
        code.textContent = detail;
        item.append(" ", code);
      }
      return item;
    }));
  };
}
