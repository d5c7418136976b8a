// The live page: strokes in, pictures out. Nothing moves unless the reader does something.
"use strict";
const SIZE = 28, GAP = 2;
const find = (id) => document.getElementById(id);
const floats = (text) => new Float32Array(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const NETWORKS = Object.fromEntries(Object.entries(WEIGHTS).map(([name, packed]) => {
  const network = { ...packed };
  for (const key of ["w_enc", "b", "w_dec", "c", "readW", "readB"]) network[key] = floats(packed[key]);
  return [name, { ...network, K: network.b.length }];
}));
let x = new Float32Array(SIZE * SIZE), off = new Set(), chosen = 0, seen = null;

const draw = find("draw"), pen = draw.getContext("2d", { willReadFrequently: true });
const network = () => NETWORKS[find("network").value];
const columnsOfMaps = () => (network().K > 16 ? 16 : 8);

/** What was drawn, its longer side scaled to 20 pixels, its centre of mass in the middle. */
function centred() {
  const side = draw.width, alpha = pen.getImageData(0, 0, side, side).data;
  let left = side, right = -1, top = side, bottom = -1;
  for (let i = 0; i < side * side; i++)
    if (alpha[4 * i + 3] > 20) {
      const u = Math.floor(i / side), v = i % side;
      left = Math.min(left, v); right = Math.max(right, v);
      top = Math.min(top, u); bottom = Math.max(bottom, u);
    }
  const image = new Float32Array(SIZE * SIZE);
  if (right < 0) return image;
  const width = right - left + 1, height = bottom - top + 1, scale = 20 / Math.max(width, height);
  const small = new OffscreenCanvas(SIZE, SIZE).getContext("2d", { willReadFrequently: true });
  small.imageSmoothingQuality = "high";
  const at = (u, v) => {
    small.clearRect(0, 0, SIZE, SIZE);
    small.drawImage(draw, left, top, width, height, v, u, width * scale, height * scale);
    return small.getImageData(0, 0, SIZE, SIZE).data;
  };
  let u = (SIZE - height * scale) / 2, v = (SIZE - width * scale) / 2, data = at(u, v);
  let mass = 0, down = 0, across = 0;
  for (let i = 0; i < SIZE * SIZE; i++) {
    const a = data[4 * i + 3];
    mass += a; down += a * (Math.floor(i / SIZE) + 0.5); across += a * ((i % SIZE) + 0.5);
  }
  if (mass) data = at(u + SIZE / 2 - down / mass, v + SIZE / 2 - across / mass);
  return image.map((_, i) => data[4 * i + 3] / 255);
}

/** Grey values of a square picture into a canvas of 28×28 pixels, laid at (left, top). */
function paint(pen, values, left, top, scale, highest) {
  const image = new ImageData(SIZE, SIZE);
  for (let i = 0; i < SIZE * SIZE; i++) {
    image.data.fill(255 * Math.min(1, Math.max(0, values[i] / highest)), 4 * i, 4 * i + 3);
    image.data[4 * i + 3] = 255;
  }
  const small = new OffscreenCanvas(SIZE, SIZE);
  small.getContext("2d").putImageData(image, 0, 0);
  pen.imageSmoothingEnabled = false;
  pen.drawImage(small, left, top, SIZE * scale, SIZE * scale);
}

function show() {
  const net = network(), n = Number(find("n").value);
  seen = look(net, x, n, off);
  const input = find("input").getContext("2d");
  paint(input, x, 0, 0, 10, 1);
  input.fillStyle = "#ff8c1a";
  if (n === 1)
    seen.winners.forEach(([i], k) => {
      if (seen.h[k * SIZE * SIZE + i] > 0) input.fillRect((i % SIZE) * 10 + 3, Math.floor(i / SIZE) * 10 + 3, 4, 4);
    });
  paint(find("rebuilt").getContext("2d"), seen.x_hat, 0, 0, 10, 1);
  find("error").value = seen.x_hat.reduce((sum, value, i) => sum + (value - x[i]) ** 2, 0).toFixed(2);
  showMaps();
  const best = seen.p.indexOf(Math.max(...seen.p)), empty = !x.some((value) => value > 0);
  [...find("classes").querySelectorAll("meter")].forEach((meter, label) => (meter.value = seen.p[label]));
  const sentence = empty ? "Draw." : `It says ${best}, with probability ${seen.p[best].toFixed(3)}.`;
  if (find("says").textContent !== sentence) find("says").textContent = sentence;
}

function showMaps() {
  const { K } = network(), canvas = find("maps"), cell = SIZE + GAP, pen = canvas.getContext("2d");
  const columns = columnsOfMaps();
  canvas.width = columns * cell; // which also clears it
  canvas.height = (K / columns) * cell;
  let highest = 1e-6;
  for (const value of seen.h) if (value > highest) highest = value;
  const image = new ImageData(canvas.width, canvas.height); // one for all: 128 canvases take 10 ms
  const pixels = new Uint32Array(image.data.buffer), size = SIZE * SIZE;
  for (let k = 0; k < K; k++) {
    const corner = Math.floor(k / columns) * cell * canvas.width + (k % columns) * cell;
    for (let i = 0; i < size; i++) {
      const grey = (255 * seen.h[k * size + i]) / highest;
      const at = corner + Math.floor(i / SIZE) * canvas.width + (i % SIZE);
      pixels[at] = off.has(k) ? 0xff20208a : 0xff000000 | (Math.round(grey) * 0x010101);
    }
  }
  pen.putImageData(image, 0, 0);
  pen.strokeStyle = "#ff8c1a";
  pen.strokeRect((chosen % columns) * cell, Math.floor(chosen / columns) * cell, SIZE, SIZE);
  find("map").value = `Map ${chosen + 1} of ${K} is ${off.has(chosen) ? "off" : "on"}.`;
}

function toggle(k) {
  if (!off.delete(k)) off.add(k);
  show();
}

let last = null;
draw.addEventListener("pointerdown", (event) => { draw.setPointerCapture(event.pointerId); last = null; stroke(event); });
draw.addEventListener("pointermove", (event) => { if (event.buttons) stroke(event); });
function stroke(event) {
  const box = draw.getBoundingClientRect(), scale = draw.width / box.width;
  const point = [(event.clientX - box.left) * scale, (event.clientY - box.top) * scale];
  Object.assign(pen, { lineWidth: 24, lineCap: "round", strokeStyle: "#fff" });
  pen.beginPath(); pen.moveTo(...(last ?? point)); pen.lineTo(...point); pen.stroke();
  last = point; x = centred(); show();
}
function take(image) {
  pen.clearRect(0, 0, draw.width, draw.height);
  x = image; show();
}
find("clear").onclick = () => take(new Float32Array(SIZE * SIZE));
find("network").onchange = () => { off = new Set(); chosen = 0; show(); };
find("n").onchange = show;
find("maps").onclick = (event) => {
  const box = find("maps").getBoundingClientRect(), rows = network().K / columnsOfMaps();
  const inside = (at, from, size, n) => Math.min(n - 1, Math.max(0, Math.floor(((at - from) / size) * n)));
  chosen = inside(event.clientY, box.top, box.height, rows) * columnsOfMaps() + inside(event.clientX, box.left, box.width, columnsOfMaps());
  toggle(chosen);
};
find("maps").onkeydown = (event) => {
  const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columnsOfMaps(), ArrowDown: columnsOfMaps() }[event.key];
  if (event.key === "Enter" || event.key === " ") toggle(chosen);
  else if (step) { chosen = (chosen + step + network().K) % network().K; showMaps(); }
  else return;
  event.preventDefault();
};
for (const name of Object.keys(NETWORKS)) find("network").add(new Option(name));
SAMPLES.forEach((packed, label) => {
  const button = Object.assign(document.createElement("button"), { textContent: label });
  button.onclick = () => take(Float32Array.from(atob(packed), (c) => c.charCodeAt(0) / 255));
  find("samples").append(button, " ");
  const item = document.createElement("li"), meter = document.createElement("meter");
  meter.setAttribute("aria-label", `probability of ${label}`);
  item.append(meter); find("classes").append(item);
});
show();
