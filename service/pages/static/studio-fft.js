// Fourier transforms of a square image with a side that is a power of two, in place.

const TILE = 32; // numbers of a row that are transposed at once

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
  }

  // `sign` is -1 for the transform and 1 for its inverse, which divides by N.
  both(re, im, sign) {
    for (let pass = 0; pass < 2; pass++) {
      this.#rows(re, im, sign, this.side);
      transpose(re, this.side);
      transpose(im, this.side);
    }
    if (sign > 0) {
      const scale = 1 / (this.side * this.side);
      for (let i = 0; i < re.length; i++) {
        re[i] *= scale;
        im[i] *= scale;
      }
    }
  }

  // The inverse of the spectrum of real numbers, in half the time: the other half of the spectrum is
  // not looked at, and two rows are transformed as one. Overwrites the spectrum; returns the numbers.
  real(re, im) {
    const { side } = this;
    transpose(re, side);
    transpose(im, side);
    this.#rows(re, im, 1, side / 2 + 1);
    const out = new Float32Array(side * side);
    const scale = 1 / (side * side);
    const both = new Float32Array(side);
    const imaginary = new Float32Array(side);
    for (let y = 0; y < side; y += 2) {
      for (let kx = 0, at = y; kx <= side / 2; kx++, at += side) {
        const mirror = (side - kx) % side;
        both[mirror] = re[at] + im[at + 1];
        imaginary[mirror] = re[at + 1] - im[at];
        both[kx] = re[at] - im[at + 1];
        imaginary[kx] = re[at + 1] + im[at];
      }
      this.#rows(both, imaginary, 1, 1);
      for (let x = 0; x < side; x++) {
        out[y * side + x] = both[x] * scale;
        out[(y + 1) * side + x] = imaginary[x] * scale;
      }
    }
    return out;
  }

  #rows(re, im, sign, count) {
    const { side, cosines, sines, reversed } = this;
    for (let start = 0; start < count * side; start += side) {
      for (let i = 0; i < side; i++) {
        const j = reversed[i];
        if (i >= j) continue;
        let kept = re[start + i];
        re[start + i] = re[start + j];
        re[start + j] = kept;
        kept = im[start + i];
        im[start + i] = im[start + j];
        im[start + j] = kept;
      }
      for (let half = 1; half < side; half *= 2) {
        const stride = side / (2 * half);
        for (let k = 0; k < half; k++) {
          const cos = cosines[k * stride];
          const sin = sign * sines[k * stride];
          for (let i = start + k; i < start + side; i += 2 * half) {
            const j = i + half;
            const x = re[j] * cos - im[j] * sin;
            const y = re[j] * sin + im[j] * cos;
            re[j] = re[i] - x;
            im[j] = im[i] - y;
            re[i] += x;
            im[i] += y;
          }
        }
      }
    }
  }
}

function transpose(values, side) {
  for (let top = 0; top < side; top += TILE) {
    for (let left = top; left < side; left += TILE) {
      for (let row = top; row < Math.min(top + TILE, side); row++) {
        const from = top === left ? row + 1 : left;
        for (let column = from; column < Math.min(left + TILE, side); column++) {
          const kept = values[row * side + column];
          values[row * side + column] = values[column * side + row];
          values[column * side + row] = kept;
        }
      }
    }
  }
}
