// The mathematics of the live page, by the names of cae_np.ops: one image, one channel, float32,
// typed arrays in row-major order. A classic script, since browsers refuse modules over file://.
"use strict";

/** z[k] = correlation of the zero-padded image x (S×S) with kernel k, plus its bias: (K, S, S). */
function correlateSame(x, w, b, S, side) {
  const K = b.length, top = (side - 1) >> 1, P = S + side - 1;
  const padded = new Float32Array(P * P), z = new Float32Array(K * S * S);
  for (let p = 0; p < S; p++) padded.set(x.subarray(p * S, (p + 1) * S), (p + top) * P + top);
  for (let k = 0; k < K; k++) {
    const map = z.subarray(k * S * S, (k + 1) * S * S).fill(b[k]);
    for (let i = 0; i < side; i++)
      for (let j = 0; j < side; j++) {
        const weight = w[(k * side + i) * side + j];
        for (let p = 0; p < S; p++)
          for (let q = 0; q < S; q++) map[p * S + q] += weight * padded[(p + i) * P + q + j];
      }
  }
  return z;
}

/** Flat positions of the n largest units of each map, the first of equals: one array a map. */
function winnerTakeAll(z, K, n) {
  const size = z.length / K, winners = [];
  for (let k = 0; k < K; k++) {
    const map = z.subarray(k * size, (k + 1) * size);
    let least = -Infinity; // of the winners; for one, sorting would take longer than the rest
    if (n === 1) for (let i = 0; i < size; i++) least = Math.max(least, map[i]);
    else if (n < size) least = map.slice().sort()[size - n];
    let equals = n; // how many that equal the least of the winners may stay
    for (let i = 0; i < size; i++) if (map[i] > least) equals--;
    const kept = [];
    for (let i = 0; i < size; i++)
      if (map[i] > least || (map[i] === least && equals-- > 0)) kept.push(i);
    winners.push(kept);
  }
  return winners;
}

/** relu(z) at the winners, 0 elsewhere. */
function place(z, winners) {
  const size = z.length / winners.length, h = new Float32Array(z.length);
  winners.forEach((kept, k) => {
    for (const i of kept) h[k * size + i] = Math.max(0, z[k * size + i]);
  });
  return h;
}

/** The convolution that decodes: each active unit lays its map's kernel down, plus the bias c. */
function decode(h, w, c, S, side) {
  const K = h.length / (S * S), top = (side - 1) >> 1, P = S + side - 1;
  const padded = new Float32Array(P * P), x = new Float32Array(S * S);
  for (let k = 0; k < K; k++)
    for (let unit = 0; unit < S * S; unit++) {
      const a = h[k * S * S + unit];
      if (a === 0) continue;
      const u = Math.floor(unit / S), v = unit % S;
      for (let i = 0; i < side; i++)
        for (let j = 0; j < side; j++)
          padded[(u + i) * P + v + j] += a * w[(k * side + i) * side + j];
    }
  for (let p = 0; p < S; p++)
    for (let q = 0; q < S; q++) x[p * S + q] = padded[(p + top) * P + q + top] + c;
  return x;
}

/** The largest value of relu(z) in each of n×n windows, n = ceil(S / stride): (K, n, n). */
function overlappingMaxPool(z, K, S, width, stride) {
  const n = Math.ceil(S / stride), left = Math.max((n - 1) * stride + width - S, 0) >> 1;
  const y = new Float32Array(K * n * n);
  for (let k = 0; k < K; k++)
    for (let p = 0; p < n; p++)
      for (let q = 0; q < n; q++) {
        let highest = 0;
        for (let u = Math.max(0, p * stride - left); u < Math.min(S, p * stride - left + width); u++)
          for (let v = Math.max(0, q * stride - left); v < Math.min(S, q * stride - left + width); v++)
            highest = Math.max(highest, z[(k * S + u) * S + v]);
        y[(k * n + p) * n + q] = highest;
      }
  return y;
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

/** All of it. `off`: a set of maps that are switched off, for reconstruction and classifier. */
function look(network, x, n, off) {
  const { S, side, K } = network;
  const z = correlateSame(x, network.w_enc, network.b, S, side);
  const winners = winnerTakeAll(z, K, n);
  for (const k of off) z.fill(0, k * S * S, (k + 1) * S * S);
  const h = place(z, winners);
  const x_hat = decode(h, network.w_dec, network.c[0], S, side);
  const features = overlappingMaxPool(z, K, S, network.poolWidth, network.poolStride);
  return { z, winners, h, x_hat, features, p: softmaxRegression(features, network.readW, network.readB) };
}
