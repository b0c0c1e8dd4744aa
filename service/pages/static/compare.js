// Two pictures over each other: with a divider to drag, or one after the other.

const page = document.querySelector("[data-compare]");
const modes = page.querySelector("[data-modes]");
if (modes) start();

function start() {
  const find = (name) => page.querySelector(`[data-${name}]`);
  const [stack, layers, over, divider, beside] = ["stack", "layers", "over", "divider", "beside"].map(find);
  const [left, right, position] = ["left", "right", "position"].map(find);
  const [swap, run, seconds, shown] = ["swap", "run", "seconds", "shown"].map(find);
  let second = false; // whether the second image is shown
  let timer = null;

  beside.classList.remove("unscripted");
  modes.addEventListener("change", () => show(modes.querySelector(":checked").value));
  show(modes.querySelector(":checked").value);

  function show(mode) {
    stop();
    stack.hidden = mode === "beside";
    beside.hidden = mode !== "beside";
    layers.dataset.mode = mode;
    for (const tools of page.querySelectorAll("[data-tools]")) tools.hidden = tools.dataset.tools !== mode;
    divider.hidden = mode !== "slider";
    if (mode === "slider") divide();
    if (mode === "flicker") {
      flip(false);
      // It moves by itself only where people do not mind, and can always be stopped.
      if (!matchMedia("(prefers-reduced-motion: reduce)").matches) go();
    }
  }

  function divide() {
    const share = Number(position.value);
    over.style.visibility = "visible";
    over.style.clipPath = `inset(0 0 0 ${share}%)`;
    divider.style.left = `${share}%`;
    left.hidden = share < 12;
    right.hidden = share > 88;
  }

  function flip(to = !second) {
    second = to;
    over.style.clipPath = "none";
    over.style.visibility = second ? "visible" : "hidden";
    left.hidden = second;
    right.hidden = !second;
    shown.textContent = timer === null ? `${second ? "second" : "first"} image` : "";
  }

  // At most two changes a second: less than the three flashes that WCAG allows.
  function go() {
    run.setAttribute("aria-pressed", "true");
    run.textContent = "Stop";
    timer = setInterval(() => flip(), 1000 * Math.max(0.5, Number(seconds.value)));
  }

  function stop() {
    clearInterval(timer);
    timer = null;
    run.setAttribute("aria-pressed", "false");
    run.textContent = "Flicker by itself";
  }

  position.addEventListener("input", divide);
  layers.addEventListener("pointerdown", (event) => {
    if (layers.dataset.mode !== "slider" || event.button !== 0) return;
    event.preventDefault();
    layers.setPointerCapture(event.pointerId);
    drag(event);
  });
  layers.addEventListener("pointermove", (event) => {
    if (layers.hasPointerCapture(event.pointerId)) drag(event);
  });

  function drag(event) {
    const box = layers.getBoundingClientRect();
    position.value = (100 * (event.clientX - box.left)) / box.width;
    divide();
  }

  const swapped = () => {
    stop();
    flip();
  };
  swap.addEventListener("click", swapped);
  run.addEventListener("click", () => {
    if (timer === null) go();
    else {
      stop();
      flip(second);
    }
  });
  seconds.addEventListener("input", () => {
    if (timer === null) return;
    stop();
    go();
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input:not([type=range], [type=radio]), select, textarea");
    const other = event.key.toLowerCase() !== "f" || event.ctrlKey || event.metaKey || event.altKey;
    if (other || typing || layers.dataset.mode !== "flicker") return;
    event.preventDefault();
    swapped();
  });
}
