// A cursor that links the plot of power with rings in the spectrum, and a page that shows itself when
// its image has been analysed.

import { onChange } from "./live.js";

const waiting = document.querySelector("[data-waiting]");
if (waiting) {
  onChange(({ asset_id: id, status }) => {
    if (String(id) === waiting.dataset.waiting && (status === "done" || status === "failed")) {
      location.reload();
    }
  });
}

const pictures = document.querySelector("[data-pictures]");
const plot = document.querySelector(".chart.radial");
if (pictures && plot) link(pictures, plot);

function link(pictures, plot) {
  const width = Number(pictures.dataset.width);
  const height = Number(pictures.dataset.height);
  const axis = Object.fromEntries(
    ["low", "high", "start", "stop"].map((name) => [name, Number(plot.dataset[name])]),
  );
  const spectrum = pictures.querySelector("[data-spectrum]");
  const ring = spectrum.querySelector("ellipse");
  const told = document.querySelector("[data-pointed]");
  const cursor = document.createElementNS("http://www.w3.org/2000/svg", "line");
  cursor.setAttribute("class", "cursor");
  plot.append(cursor);

  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * plot.viewBox.baseVal.width;
    const share = (x - axis.start) / (axis.stop - axis.start);
    if (share < 0 || share > 1) return hide();
    show(axis.low * (axis.high / axis.low) ** share);
  });
  plot.addEventListener("pointerleave", hide);

  spectrum.addEventListener("pointermove", (event) => {
    const box = spectrum.getBoundingClientRect();
    const column = Math.floor(((event.clientX - box.left) / box.width) * width);
    const row = Math.floor(((event.clientY - box.top) / box.height) * height);
    const fx = (column - Math.floor(width / 2)) / width;
    const fy = (Math.floor(height / 2) - row) / height;
    const angle = ((Math.atan2(fy, fx) * 180) / Math.PI + 180) % 180;
    show(Math.hypot(fx, fy), `, wave vector at ${angle.toFixed(1)}°`);
  });
  spectrum.addEventListener("pointerleave", hide);

  function show(frequency, more = "") {
    if (frequency === 0) {
      ring.setAttribute("rx", 0);
      told.textContent = "The mean of the image.";
    } else {
      ring.setAttribute("rx", frequency * width);
      ring.setAttribute("ry", frequency * height);
      told.textContent =
        `${frequency.toPrecision(3)} cycles per pixel, period ${(1 / frequency).toPrecision(4)} px${more}`;
      const share = Math.log(frequency / axis.low) / Math.log(axis.high / axis.low);
      const x = axis.start + Math.min(1, Math.max(0, share)) * (axis.stop - axis.start);
      for (const name of ["x1", "x2"]) cursor.setAttribute(name, x);
      cursor.setAttribute("y1", plot.dataset.top);
      cursor.setAttribute("y2", plot.dataset.bottom);
    }
    told.hidden = false;
  }

  function hide() {
    ring.setAttribute("rx", 0);
    for (const name of ["x1", "x2", "y1", "y2"]) cursor.setAttribute(name, 0);
    told.hidden = true;
  }
}
