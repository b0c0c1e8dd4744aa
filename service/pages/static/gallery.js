// Uploads with progress, of files and folders that are dropped or chosen; cards that follow their jobs.

import { onChange } from "./live.js";

const form = document.querySelector("[data-upload]");
const input = form.querySelector("[data-files]");
const list = document.querySelector("[data-progress]");
const cards = document.querySelector("[data-cards]");

const AT_ONCE = 3;
const waiting = [];
let running = 0;


input.addEventListener("change", () => {
  add([...input.files]);
  input.value = "";
});
form.addEventListener("submit", (event) => event.preventDefault());

addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("over");
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) document.body.classList.remove("over");
});
addEventListener("drop", async (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  const entries = [...event.dataTransfer.items].map((item) => item.webkitGetAsEntry?.()).filter(Boolean);
  add((await Promise.all(entries.map(filesOf))).flat());
});

async function filesOf(entry) {
  if (entry.isFile) {
    const file = await new Promise((resolve, reject) => entry.file(resolve, reject));
    return file.name.startsWith(".") ? [] : [file];
  }
  const reader = entry.createReader();
  const found = [];
  for (;;) { // a reader gives its entries in portions
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) break;
    found.push(...some);
  }
  return (await Promise.all(found.map(filesOf))).flat();
}

function add(files) {
  for (const file of files) waiting.push({ file, row: newRow(file.name) });
  next();
}

function next() {
  while (running < AT_ONCE && waiting.length) {
    running += 1;
    send(waiting.shift()).finally(() => {
      running -= 1;
      next();
    });
  }
}

function newRow(name) {
  const row = document.createElement("li");
  const text = document.createElement("span");
  const bar = document.createElement("progress");
  const state = document.createElement("span");
  text.textContent = name;
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", `Upload of ${name}`);
  state.textContent = "waits";
  row.append(text, bar, state);
  list.append(row);
  return { row, bar, state };
}

function send({ file, row }) {
  return new Promise((resolve) => {
    const request = new XMLHttpRequest();
    const body = new FormData();
    body.append("tenant_name", form.elements.tenant_name.value);
    body.append("file", file, file.name);
    request.open("POST", "/upload/");
    request.responseType = "json";
    request.upload.onprogress = (event) => {
      row.bar.value = event.loaded / event.total;
      row.state.textContent = `${Math.round(100 * row.bar.value)} %`;
    };
    request.onload = () => {
      if (request.status === 200) {
        row.row.remove();
        refresh(request.response.asset_id);
      } else {
        refuse(row, request.response?.detail ?? `status ${request.status}`);
      }
      resolve();
    };
    request.onerror = () => {
      refuse(row, "the service does not answer");
      resolve();
    };
    request.send(body);
  });
}

function refuse(row, reason) {
  row.bar.remove();
  row.state.textContent = reason;
  row.state.className = "bad";
}

async function refresh(id) {
  const answer = await fetch(`/pages/cards/${id}`);
  if (!answer.ok) return;
  const parsed = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = parsed.querySelector(".card");
  const old = cards.querySelector(`[data-asset="${id}"]`);
  if (old) old.replaceWith(fresh);
  else cards.prepend(fresh);
  document.querySelector(".empty")?.remove();
}

onChange(({ asset_id: id, status }) => {
  const card = cards.querySelector(`[data-asset="${id}"]`);
  if (card && card.dataset.status !== status) refresh(id);
});
