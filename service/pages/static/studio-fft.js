// Fourier transforms of a square image with a side that is a power of two, in place.

export class Transform {
  constructor(side) {
    this.side = side;
    this.cosines = new Float32Array(side / 2);
    this.sines = new Float32Array(side / 2);
    for (let i = 0; i < side / 2; i++) {
      this.cosines[i] = Math.cos((2 * Math.PI * i) / side);
      this.sines[i] = Math.sin((2 * Math.PI * i) / side);
    }
    this.reversed = new Uint32Array(side);
    for (let i = 1; i < side; i++) {
      this.reversed[i] = (this.reversed[i >> 1] >> 1) | (i & 1 ? side >> 1 : 0);
    }
    this.re = new Float32Array(side);
    this.im = new Float32Array(side);
  }

  // Rows, then columns; `sign` is -1 for the transform and 1 for its inverse, which divides by N.
  both(re, im, sign) {
    const { side } = this;
    for (let row = 0; row < side; row++) this.#line(re, im, row * side, 1, sign);
    for (let column = 0; column < side; column++) this.#line(re, im, column, side, sign);
    if (sign > 0) {
      const scale = 1 / (side * side);
      for (let i = 0; i < re.length; i++) {
        re[i] *= scale;
        im[i] *= scale;
      }
    }
  }

  #line(re, im, start, step, sign) {
    const { side, cosines, sines, reversed, re: a, im: b } = this;
    for (let i = 0, at = start; i < side; i++, at += step) {
      a[reversed[i]] = re[at];
      b[reversed[i]] = im[at];
    }
    for (let half = 1; half < side; half *= 2) {
      const stride = side / (2 * half);
      for (let first = 0; first < side; first += 2 * half) {
        for (let k = 0, turn = 0; k < half; k++, turn += stride) {
          const cos = cosines[turn];
          const sin = sign * sines[turn];
          const i = first + k;
          const j = i + half;
          const x = a[j] * cos - b[j] * sin;
          const y = a[j] * sin + b[j] * cos;
          a[j] = a[i] - x;
          b[j] = b[i] - y;
          a[i] += x;
          b[i] += y;
        }
      }
    }
    for (let i = 0, at = start; i < side; i++, at += step) {
      re[at] = a[i];
      im[at] = b[i];
    }
  }
}
