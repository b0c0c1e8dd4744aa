// The box over the picture: drawn, moved and resized by mouse, touch, pen or keys.

import { moved, resized, spanned } from "./crop-box.js";

const HANDLES = {
  nw: "Upper left corner", n: "Upper edge", ne: "Upper right corner", e: "Right edge",
  se: "Lower right corner", s: "Lower edge", sw: "Lower left corner", w: "Left edge",
};
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
const BEGUN = 4; // pixels of the screen: less is a click
const CROWDED = 60; // pixels of the screen: shorter edges have no handle in their middle

// Calls `change(box)` with what the user makes of `state.box`; `state` has image and ratio, too.
// Returns a function that shows a box.
export function makeStage(stage, state, change) {
  const outside = stage.querySelector("[data-outside]");
  const edge = stage.querySelector("[data-edge]");
  const grip = button("grip", "Crop box: arrow keys move it, with Alt they change its size");
  const handles = Object.entries(HANDLES).map(([name, says]) => {
    const made = button("handle", `${says}: arrow keys move it`);
    made.dataset.handle = name;
    return made;
  });
  stage.append(grip, ...handles);

  stage.addEventListener("pointerdown", (event) => {
    if (event.button !== 0) return;
    event.preventDefault();
    event.target.focus?.({ preventScroll: true });
    follow(event, draggedBy(event));
  });
  stage.addEventListener("keydown", (event) => {
    const arrow = ARROWS[event.key];
    if (!arrow || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    const [right, down] = arrow.map((each) => each * (event.shiftKey ? 10 : 1));
    const { box, image, ratio } = state;
    const handle = event.target.dataset.handle;
    if (handle || event.altKey) {
      const name = handle ?? (right ? "e" : "s");
      const { x, y } = placeOf(name, box);
      change(resized(box, name, { x: x + right, y: y + down }, image, ratio));
    } else {
      change(moved(box, right, down, image));
    }
  });
  addEventListener("resize", () => show(state.box));

  // What a pointer does that went down at a place: a function from its place to a box.
  function draggedBy(event) {
    const { box, image } = state;
    const start = placeAt(event);
    const handle = event.target.dataset?.handle;
    if (handle) {
      const at = placeOf(handle, box);
      return (point) =>
        resized(box, handle, { x: at.x + point.x - start.x, y: at.y + point.y - start.y }, image, state.ratio);
    }
    if (event.target === grip) {
      return (point) => moved(box, point.x - start.x, point.y - start.y, image);
    }
    return (point) => spanned(start, point, image, state.ratio);
  }

  function follow(first, boxAt) {
    stage.setPointerCapture(first.pointerId);
    const done = new AbortController();
    let begun = false;
    const listen = (name, act) => stage.addEventListener(name, act, { signal: done.signal });
    listen("pointermove", (event) => {
      if (event.pointerId !== first.pointerId) return;
      begun ||= Math.hypot(event.clientX - first.clientX, event.clientY - first.clientY) >= BEGUN;
      if (begun) change(boxAt(placeAt(event)));
    });
    for (const name of ["pointerup", "pointercancel"]) {
      listen(name, (event) => event.pointerId === first.pointerId && done.abort());
    }
  }

  // Where a pointer is, as the nearest corner of pixels of the image.
  function placeAt(event) {
    const { left, top, width, height } = stage.getBoundingClientRect();
    const { image } = state;
    const along = (at, length, side) => Math.max(0, Math.min(side, Math.round((at / length) * side)));
    return {
      x: along(event.clientX - left, width, image.width),
      y: along(event.clientY - top, height, image.height),
    };
  }

  function show(box) {
    const { image } = state;
    const inner = `M${box.x} ${box.y}h${box.width}v${box.height}h-${box.width}Z`;
    outside.setAttribute("d", `M0 0H${image.width}V${image.height}H0Z${inner}`);
    edge.setAttribute("d", inner);
    place(grip, box);
    grip.style.width = `${(100 * box.width) / image.width}%`;
    grip.style.height = `${(100 * box.height) / image.height}%`;
    const scale = stage.clientWidth / image.width;
    for (const each of handles) {
      const name = each.dataset.handle;
      place(each, placeOf(name, box));
      const length = name === "n" || name === "s" ? box.width : box.height;
      each.classList.toggle("crowded", name.length === 1 && length * scale < CROWDED);
    }
  }

  function place(element, { x, y }) {
    element.style.left = `${(100 * x) / state.image.width}%`;
    element.style.top = `${(100 * y) / state.image.height}%`;
  }

  return show;
}

// Place of a handle on a box.
function placeOf(name, box) {
  const share = (low, high) => (name.includes(low) ? 0 : name.includes(high) ? 1 : 0.5);
  return {
    x: Math.round(box.x + share("w", "e") * box.width),
    y: Math.round(box.y + share("n", "s") * box.height),
  };
}

function button(name, says) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = name;
  made.setAttribute("aria-label", says);
  made.setAttribute("aria-describedby", "crop-help");
  return made;
}
