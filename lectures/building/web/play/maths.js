// The mathematics of the live page, by the names of cae_np.ops: one image of C channels, S×S pixels,
// double precision, flat arrays in row-major order.  A network has `w_enc` and `w_dec` (K, C, side,
// side), `b` (K,), `c` (C,), `poolWidth`, `poolStride`, and, if it has a read-out, `readW` (10, D)
// and `readB` (10,).  A classic script, since browsers refuse modules over file://.
"use strict";

/** z[k] = Σ_c correlation of the zero-padded x[c] with kernel[k, c], plus b[k]: (K, S, S).  Most of a
    digit is black, so zeros at both ends of a row are left out; and four columns of a kernel at once
    are fewer visits to z than one. */
function correlateSame(x, w, b, C, S, side) {
  const K = b.length, top = (side - 1) >> 1, z = new Float64Array(K * S * S), P = S + side + 2;
  const padded = new Float64Array(C * S * P), begin = new Int32Array(C * S), end = new Int32Array(C * S);
  for (let row = 0; row < C * S; row++)
    for (let v = 0; v < S; v++) {
      if (x[row * S + v] === 0) continue;
      if (end[row] === 0) begin[row] = v + top;
      end[row] = v + top + 1;
      padded[row * P + v + top] = x[row * S + v];
    }
  for (let k = 0; k < K; k++) {
    z.fill(b[k], k * S * S, (k + 1) * S * S);
    for (let row = 0; row < C * S; row++) {
      if (end[row] === 0) continue;
      const c = Math.floor(row / S), u = row % S;
      const lowest = Math.max(0, u + top + 1 - S), highest = Math.min(side, u + top + 1);
      for (let i = lowest; i < highest; i++)
        for (let j = 0; j < side; j += 4) {
          const at = ((k * C + c) * side + i) * side + j, left = side - j;
          const w0 = w[at], w1 = left > 1 ? w[at + 1] : 0, w2 = left > 2 ? w[at + 2] : 0, w3 = left > 3 ? w[at + 3] : 0;
          const first = Math.max(0, begin[row] - j - 3), last = Math.min(S, end[row] - j);
          const to = (k * S + u + top - i) * S, from = row * P + j;
          for (let q = first; q < last; q++)
            z[to + q] += w0 * padded[from + q] + w1 * padded[from + q + 1] + w2 * padded[from + q + 2] + w3 * padded[from + q + 3];
        }
    }
  }
  return z;
}

/** Flat positions of the n largest units of each map, the first of equals: one array a map. */
function winnerTakeAll(z, K, n) {
  const size = z.length / K, winners = [], largest = new Float64Array(n);
  for (let k = 0; k < K; k++) {
    const map = z.subarray(k * size, (k + 1) * size);
    largest.fill(-Infinity); // the n largest so far, in rising order
    if (n < size)
      for (let i = 0; i < size; i++) {
        if (map[i] <= largest[0]) continue;
        let rank = 0;
        for (; rank + 1 < n && largest[rank + 1] < map[i]; rank++) largest[rank] = largest[rank + 1];
        largest[rank] = map[i];
      }
    const least = largest[0];
    let equals = n; // how many that equal the least of the winners may stay
    for (let i = 0; i < size; i++) if (map[i] > least) equals--;
    const kept = [];
    for (let i = 0; i < size; i++)
      if (map[i] > least || (map[i] === least && equals-- > 0)) kept.push(i);
    winners.push(kept);
  }
  return winners;
}

/** relu(z) at the winners, 0 elsewhere: (K, S, S). */
function place(z, winners) {
  const size = z.length / winners.length, h = new Float64Array(z.length);
  winners.forEach((kept, k) => {
    for (const i of kept) h[k * size + i] = Math.max(0, z[k * size + i]);
  });
  return h;
}

/** convolve_same: each unit that is not zero lays its map's kernel down; plus c: (C, S, S). */
function decode(h, w, c, S, side) {
  const C = c.length, K = h.length / (S * S), top = (side - 1) >> 1, P = S + side - 1;
  const padded = new Float64Array(C * P * P), x_hat = new Float64Array(C * S * S);
  for (let k = 0; k < K; k++)
    for (let unit = 0; unit < S * S; unit++) {
      const a = h[k * S * S + unit];
      if (a === 0) continue;
      const u = Math.floor(unit / S), v = unit % S;
      for (let channel = 0; channel < C; channel++)
        for (let i = 0; i < side; i++)
          for (let j = 0; j < side; j++)
            padded[(channel * P + u + i) * P + v + j] += a * w[((k * C + channel) * side + i) * side + j];
    }
  for (let channel = 0; channel < C; channel++)
    for (let p = 0; p < S; p++)
      for (let q = 0; q < S; q++)
        x_hat[(channel * S + p) * S + q] = padded[(channel * P + p + top) * P + q + top] + c[channel];
  return x_hat;
}

/** The largest of relu(z) in each of n×n windows, n = ceil(S / stride), and the flat position in its
    map where it stands, -1 where nothing is above zero: both (K, n, n). */
function overlappingMaxPool(z, K, S, width, stride) {
  const n = Math.ceil(S / stride), left = Math.max((n - 1) * stride + width - S, 0) >> 1;
  const y = new Float64Array(K * n * n), winner = new Int32Array(K * n * n);
  for (let k = 0; k < K; k++)
    for (let p = 0; p < n; p++)
      for (let q = 0; q < n; q++) {
        let most = 0, at = -1;
        const bottom = Math.min(S, p * stride - left + width), right = Math.min(S, q * stride - left + width);
        for (let u = Math.max(0, p * stride - left); u < bottom; u++)
          for (let v = Math.max(0, q * stride - left); v < right; v++)
            if (z[(k * S + u) * S + v] > most) {
              most = z[(k * S + u) * S + v];
              at = u * S + v;
            }
        y[(k * n + p) * n + q] = most;
        winner[(k * n + p) * n + q] = at;
      }
  return { y, winner };
}

/** The gradient for z: each window's goes to its winner. */
function overlappingMaxPoolBackward(dy, winner, K, S) {
  const dz = new Float64Array(K * S * S), windows = dy.length / K;
  for (let k = 0; k < K; k++)
    for (let i = k * windows; i < (k + 1) * windows; i++)
      if (winner[i] >= 0) dz[k * S * S + winner[i]] += dy[i];
  return dz;
}

/** Probabilities of the classes: softmax of w·features + b. */
function softmaxRegression(features, w, b) {
  const D = features.length;
  const scores = Array.from(b, (bias, label) => {
    for (let d = 0; d < D; d++) bias += w[label * D + d] * features[d];
    return bias;
  });
  const largest = Math.max(...scores), powers = scores.map((z) => Math.exp(z - largest));
  const sum = powers.reduce((s, power) => s + power, 0);
  return powers.map((power) => power / sum);
}

/** All of it.  `off`: a set of maps that are switched off, for reconstruction and classifier;
    `p` is null where the network has no read-out. */
function look(network, x, n, off) {
  const { C, S, side, K, readW, readB } = network;
  const z = correlateSame(x, network.w_enc, network.b, C, S, side);
  const winners = winnerTakeAll(z, K, n);
  for (const k of off) z.fill(0, k * S * S, (k + 1) * S * S);
  const h = place(z, winners);
  const x_hat = decode(h, network.w_dec, network.c, S, side);
  const pooled = overlappingMaxPool(z, K, S, network.poolWidth, network.poolStride);
  const p = readW ? softmaxRegression(pooled.y, readW, readB) : null;
  return { z, winners, h, x_hat, features: pooled.y, windowWinner: pooled.winner, p };
}

/** What spoke for a class, against the average of all classes.  A feature's share of the score is its
    weight times its value, and its value is a sum of weights times pixels: so `pixels` (C, S, S) and
    the biases' part add up to that score; `maps` (K,) are the shares of the maps' features. */
function whatSpokeFor(network, seen, x, label) {
  const { C, S, side, K, w_enc, readW } = network, D = seen.features.length, windows = D / K;
  const weights = readW.slice(label * D, (label + 1) * D), maps = new Float64Array(K);
  const classes = readW.length / D;
  for (let i = 0; i < readW.length; i++) weights[i % D] -= readW[i] / classes;
  for (let d = 0; d < D; d++) maps[Math.floor(d / windows)] += weights[d] * seen.features[d];
  const dz = overlappingMaxPoolBackward(weights, seen.windowWinner, K, S);
  const pixels = decode(dz, w_enc, new Float64Array(C), S, side).map((gradient, i) => gradient * x[i]);
  return { pixels, maps };
}
