// Jobs as they change: what is listed is asked for again, but not while somebody is about to act.

import { onChange } from "./live.js";

const shown = document.querySelector("[data-live]");
let due = null;

onChange(() => {
  due ??= setTimeout(refresh, 1000);
});

async function refresh() {
  due = null;
  if (document.hidden || shown.contains(document.activeElement)) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  shown.replaceChildren(...page.querySelector("[data-live]").childNodes);
}
