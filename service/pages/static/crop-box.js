// Boxes in whole pixels of an image {width, height}: {x, y, width, height}. A ratio is width over
// height, or 0 if the box is free.

export const clamp = (value, low, high) => Math.max(low, Math.min(high, value));

// The box moved by whole pixels, as far as the image goes.
export function moved(box, right, down, image) {
  return {
    ...box,
    x: clamp(box.x + right, 0, image.width - box.width),
    y: clamp(box.y + down, 0, image.height - box.height),
  };
}

// The box between a corner that stays and a point, in the ratio.
export function spanned(corner, point, image, ratio) {
  const right = corner.x < image.width && (point.x >= corner.x || corner.x === 0);
  const down = corner.y < image.height && (point.y >= corner.y || corner.y === 0);
  const room = {
    width: right ? image.width - corner.x : corner.x,
    height: down ? image.height - corner.y : corner.y,
  };
  let width = clamp(right ? point.x - corner.x : corner.x - point.x, 1, room.width);
  let height = clamp(down ? point.y - corner.y : corner.y - point.y, 1, room.height);
  if (ratio) ({ width, height } = inRatio(Math.max(width, height * ratio), ratio, room));
  return {
    x: right ? corner.x : corner.x - width,
    y: down ? corner.y : corner.y - height,
    width,
    height,
  };
}

// The box with the edges or the corner that a handle (such as "nw") has brought to a point.
export function resized(box, handle, point, image, ratio) {
  const side = {
    x: handle.includes("w") ? box.x + box.width : box.x,
    y: handle.includes("n") ? box.y + box.height : box.y,
  };
  if (handle.length === 2) return spanned(side, point, image, ratio);
  const across = handle === "e" || handle === "w";
  const end = across
    ? { x: point.x, y: box.y + box.height }
    : { x: box.x + box.width, y: point.y };
  const free = spanned(side, end, image, 0);
  if (!ratio) return free;
  const room = across
    ? { width: handle === "e" ? image.width - side.x : side.x, height: image.height }
    : { width: image.width, height: handle === "s" ? image.height - side.y : side.y };
  const size = inRatio(across ? free.width : free.height * ratio, ratio, room);
  return {
    x: across ? (handle === "e" ? side.x : side.x - size.width) : centred(box.x, box.width, size.width, image.width),
    y: across ? centred(box.y, box.height, size.height, image.height) : (handle === "s" ? side.y : side.y - size.height),
    ...size,
  };
}

// The box brought into the ratio around its middle: as wide as it was, if that fits.
export function reshaped(box, ratio, image) {
  if (!ratio) return box;
  const size = inRatio(box.width, ratio, image);
  return {
    x: centred(box.x, box.width, size.width, image.width),
    y: centred(box.y, box.height, size.height, image.height),
    ...size,
  };
}

// The box brought inside the image.
export function inside(box, image) {
  const width = clamp(box.width, 1, image.width);
  const height = clamp(box.height, 1, image.height);
  return {
    x: clamp(box.x, 0, image.width - width),
    y: clamp(box.y, 0, image.height - height),
    width,
    height,
  };
}

function inRatio(wanted, ratio, room) {
  const width = clamp(Math.round(wanted), 1, Math.min(room.width, Math.max(1, Math.floor(room.height * ratio))));
  return { width, height: clamp(Math.round(width / ratio), 1, room.height) };
}

function centred(start, length, wanted, all) {
  return clamp(Math.round(start + (length - wanted) / 2), 0, all - wanted);
}
