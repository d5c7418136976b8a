// The live page: strokes in, pictures out.  Nothing moves unless the reader does something.
"use strict";
const GAP = 2, ORANGE = [224, 123, 0], BLUE = [60, 130, 220];
const find = (id) => document.getElementById(id);
const bytes = (text) => Uint8Array.from(atob(text), (c) => c.charCodeAt(0));

/** Half-precision numbers of pretrained networks, times their scale, as NumPy has them in float32. */
function unpack([text, largest]) {
  const halves = new Uint16Array(bytes(text).buffer);
  return Float64Array.from(halves, (half) => {
    const exponent = (half >> 10) & 31, fraction = half & 1023;
    const size = exponent ? (1024 + fraction) * 2 ** (exponent - 25) : fraction * 2 ** -24;
    return Math.fround((half >> 15 ? -size : size) * largest);
  });
}

const NETWORKS = {};
for (const [name, packed] of Object.entries(WEIGHTS)) {
  const arrays = Object.entries(packed).filter(([, value]) => Array.isArray(value));
  NETWORKS[name] = { ...packed };
  for (const [key, value] of arrays) NETWORKS[name][key] = unpack(value);
}

// --- the state of the page ---

let x = new Float64Array(28 * 28); // the clean image
let picture = null; // its colours, where it is one
let off = new Set(), chosen = 0; // maps that are off; the map that is looked at
let asked = null; // the class that is asked for; null: the most probable one
let seen = null, noisy = x; // what look() found, and in what
let pen = { u: 140, v: 140, down: false }, box = null; // the keyboard's pen; the box around the ink
let shown = new Array(10).fill(-1); // which of a digit's samples was shown last

const sheetOf = (side) => new OffscreenCanvas(side, side).getContext("2d", { willReadFrequently: true });
const ink = sheetOf(280), small = sheetOf(28), sheet = sheetOf(32); // strokes; these scaled; pixels to paint
const noise = Float64Array.from({ length: 3 * 32 * 32 }, () => Math.random());
const maps = () => Number(find("network").value);
const winners = () => (find("n").value === "all" ? network().S ** 2 : Number(find("n").value));

function network() {
  const n = find("n").value === "all" ? 784 : find("n").value, filters = find("filters").value;
  const kind = filters !== "same" ? filters : n === "1" ? "trained" : n;
  return NETWORKS[`${maps()} ${kind}`];
}

/** Columns and rows of a grid of maps, twice as wide as high, on a phone twice as high as wide: the
    page keeps its height whatever the network. */
function columnsAndRows() {
  const wide = { 16: [6, 3], 128: [16, 8], 512: [32, 16] }[maps()];
  return window.innerWidth < 640 ? [wide[0] / 2, wide[1] * 2] : wide;
}

// --- from strokes to what MNIST looks like ---

/** The ink, its longer side scaled to 20 pixels, its centre of mass in the middle. */
function centred() {
  const side = 280, size = 28, image = new Float64Array(size * size);
  const alpha = ink.getImageData(0, 0, side, side).data;
  let left = side, right = -1, top = side, bottom = -1;
  for (let u = 0; u < side; u++)
    for (let v = 0; v < side; v++) {
      if (alpha[4 * (u * side + v) + 3] <= 20) continue;
      left = Math.min(left, v); right = Math.max(right, v);
      top = Math.min(top, u); bottom = Math.max(bottom, u);
    }
  box = right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
  if (!box) return image;
  const scale = 20 / Math.max(box.width, box.height), { width, height } = box;
  small.imageSmoothingQuality = "high";
  const at = (u, v) => {
    small.clearRect(0, 0, size, size);
    small.drawImage(ink.canvas, left, top, width, height, v, u, width * scale, height * scale);
    return small.getImageData(0, 0, size, size).data;
  };
  const u = (size - height * scale) / 2, v = (size - width * scale) / 2;
  let data = at(u, v), mass = 0, down = 0, across = 0;
  for (let i = 0; i < size * size; i++) {
    const a = data[4 * i + 3];
    mass += a; down += a * (Math.floor(i / size) + 0.5); across += a * ((i % size) + 0.5);
  }
  if (mass) data = at(u + size / 2 - down / mass, v + size / 2 - across / mass);
  return image.map((_, i) => data[4 * i + 3] / 255);
}

/** The image with noise: digits lose pixels, pictures get Gaussian noise on top. */
function withNoise() {
  const amount = Number(find("noise").value);
  find("amount").value = amount === 0 ? "none" : picture ? `σ ${amount.toFixed(2)}` : `${Math.round(100 * amount)} % off`;
  if (amount === 0) return x;
  if (!picture) return x.map((value, i) => (noise[i] < amount ? 0 : value));
  const gaussian = (i) => Math.sqrt(-2 * Math.log(1 - noise[i])) * Math.cos(2 * Math.PI * noise[(i + 7) % noise.length]);
  return x.map((value, i) => value + amount * gaussian(i));
}

// --- pictures ---

const rgb = (red, green, blue) => {
  const byte = (value) => Math.max(0, Math.min(255, Math.round(value)));
  return 0xff000000 | (byte(blue) << 16) | (byte(green) << 8) | byte(red);
};

/** Pixels of a canvas of S×S, coloured by a function of the pixel's number. */
function paint(id, S, colour) {
  const canvas = find(id), image = new ImageData(S, S), pixels = new Uint32Array(image.data.buffer);
  for (let i = 0; i < S * S; i++) pixels[i] = colour(i);
  sheet.putImageData(image, 0, 0);
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  context.drawImage(sheet.canvas, 0, 0, S, S, 0, 0, canvas.width, canvas.height);
  return context;
}

/** Grey for one channel; for three, whitened colours around a middle grey. */
function greyOrColour(values, S, C) {
  if (C === 1) return (i) => rgb(255 * values[i], 255 * values[i], 255 * values[i]);
  const level = (value) => 128 + 90 * value;
  return (i) => rgb(level(values[i]), level(values[S * S + i]), level(values[2 * S * S + i]));
}

/** Orange for positive, blue for negative, black for zero. */
function signed(value, largest, under = 0) {
  const part = Math.min(1, Math.abs(value) / largest), [red, green, blue] = value > 0 ? ORANGE : BLUE;
  const rest = under * (1 - part);
  return rgb(rest + red * part, rest + green * part, rest + blue * part);
}

/** A frame: the network looks, and everything is painted. */
function show() {
  noisy = withNoise();
  seen = look(network(), noisy, winners(), off);
  showSeen();
}

function showSeen() {
  const { S, C, K } = network();
  showDrawing();
  showInput();
  paint("rebuilt", S, greyOrColour(seen.x_hat, S, C));
  const error = seen.x_hat.reduce((sum, value, i) => sum + (value - x[i]) ** 2, 0);
  find("error").value = `${error.toFixed(2)}, of ${x.reduce((sum, v) => sum + v * v, 0).toFixed(2)} in the image`;
  let highest = 1e-6;
  for (const value of seen.h) if (value > highest) highest = value;
  showGrid("maps", seen.h, S, highest);
  showGrid("free", seen.z, S, highest);
  showGrid("features", seen.features, Math.sqrt(seen.features.length / K), highest);
  showClasses();
  showMap();
  showHint();
}

function showDrawing() {
  const context = find("draw").getContext("2d");
  context.fillRect(0, 0, 280, 280);
  if (picture) { paint("draw", 32, greyOrColour(picture, 32, 3)); return; }
  context.drawImage(ink.canvas, 0, 0);
  if (box) {
    Object.assign(context, { strokeStyle: "#6ab0f3", lineWidth: 2 });
    context.setLineDash([6, 6]);
    context.strokeRect(box.left - 1, box.top - 1, box.width + 2, box.height + 2);
    context.setLineDash([]);
  }
  if (document.activeElement !== find("draw")) return;
  Object.assign(context, { strokeStyle: pen.down ? "#e07b00" : "#fff", lineWidth: 3 });
  context.beginPath(); context.arc(pen.v, pen.u, 13, 0, 2 * Math.PI); context.stroke();
}

/** The input, a dot at each winner, and the frame of what the chosen map's winner saw. */
function showInput() {
  const { S, C, side } = network(), scale = 280 / S;
  const context = paint("input", S, greyOrColour(noisy, S, C));
  context.fillStyle = "#ff8c1a";
  const at = (i) => [(i % S) * scale, Math.floor(i / S) * scale];
  if (winners() <= 4)
    seen.winners.forEach((kept, k) => {
      for (const i of kept)
        if (seen.h[k * S * S + i] > 0) {
          const [left, top] = at(i);
          context.fillRect(left + 0.3 * scale, top + 0.3 * scale, 0.4 * scale, 0.4 * scale);
        }
    });
  const first = seen.winners[chosen].find((i) => seen.h[chosen * S * S + i] > 0);
  if (first === undefined || winners() > 4) return;
  const [left, top] = at(first), before = ((side - 1) >> 1) * scale;
  Object.assign(context, { strokeStyle: "#6ab0f3", lineWidth: 2 });
  context.strokeRect(left - before, top - before, side * scale, side * scale);
}

/** Maps of size×size side by side, as bright as the root of their values, or single units would not
    be seen; all in one image, since a canvas for each would take 10 ms. */
function showGrid(id, values, size, highest) {
  const K = maps(), [across, rows] = columnsAndRows(), cell = size + GAP, canvas = find(id);
  const width = across * cell, height = rows * cell, context = canvas.getContext("2d");
  canvas.classList.toggle("fine", K > 128);
  if (canvas.width !== width || canvas.height !== height) Object.assign(canvas, { width, height });
  const image = new ImageData(width, height), pixels = new Uint32Array(image.data.buffer);
  for (let k = 0; k < K; k++) {
    const corner = Math.floor(k / across) * cell * width + (k % across) * cell, isOff = off.has(k);
    for (let p = 0; p < size; p++)
      for (let q = 0; q < size; q++) {
        const value = values[(k * size + p) * size + q];
        const grey = value > 0 ? Math.min(255, Math.round(255 * Math.sqrt(value / highest))) : 0;
        pixels[corner + p * width + q] = isOff ? 0xff20208a : 0xff000000 | (grey * 0x010101);
      }
  }
  context.putImageData(image, 0, 0);
  Object.assign(context, { strokeStyle: "#ff8c1a", lineWidth: size > 20 ? 2 : 1 });
  context.strokeRect((chosen % across) * cell + 0.5, Math.floor(chosen / across) * cell + 0.5, size, size);
}

function showClasses() {
  const { S, C } = network(), p = seen.p, empty = !x.some((value) => value > 0);
  const best = p ? p.indexOf(Math.max(...p)) : null, label = asked ?? best;
  find("aboutClasses").textContent = p
    ? "Probabilities. Choose a digit to ask what speaks for it."
    : maps() === 512 ? "The colour filters come without a read-out here." : "For these filters no read-out was trained; 16 maps have one.";
  buttons("classes").forEach((button, digit) => {
    button.disabled = !p;
    button.setAttribute("aria-pressed", p !== null && digit === label);
    button.querySelector("meter").value = p ? p[digit] : 0;
    button.querySelector("small").textContent = p ? p[digit].toFixed(3) : "–";
  });
  const sentence = empty ? "Draw." : p ? `It says ${best}, with probability ${p[best].toFixed(3)}.` : "No classes here.";
  say(sentence);
  if (!p || empty) {
    paint("why", S, () => rgb(0, 0, 0));
    find("whyTitle").textContent = "Why?";
    find("whyText").value = p ? "There is nothing to speak yet." : "Without a read-out nothing is said.";
    return;
  }
  const spoke = whatSpokeFor(network(), seen, noisy, label);
  const largest = spoke.pixels.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
  paint("why", S, (i) => signed(spoke.pixels[i], 0.6 * largest, 110 * noisy[i]));
  const order = [...spoke.maps.keys()].sort((a, b) => spoke.maps[b] - spoke.maps[a]);
  const signedNumber = (k) => `map ${k + 1} (${spoke.maps[k] < 0 ? "−" : "+"}${Math.abs(spoke.maps[k]).toFixed(2)})`;
  find("whyTitle").textContent = asked === null || asked === best ? `Why does it say ${best}?` : `What speaks for ${label}?`;
  find("whyText").value = `Orange spoke for ${label}, blue against it. Most for it: ${order.slice(0, 2).map(signedNumber).join(", ")}; against: ${signedNumber(order.at(-1))}.`;
}

let silence = 0;
/** Shown at once; spoken when the pen has rested for a moment, so that no one hears each pixel. */
function say(sentence) {
  find("says").textContent = sentence;
  clearTimeout(silence);
  silence = setTimeout(() => { if (find("spoken").textContent !== sentence) find("spoken").textContent = sentence; }, 400);
}

/** The kernels of the map that is pointed at, and what its winner says. */
function showMap() {
  const net = network(), { S, C, side } = net, size = C * side * side;
  for (const [id, all] of [["encoder", net.w_enc], ["decoder", net.w_dec]]) {
    const w = all.subarray(chosen * size, (chosen + 1) * size);
    const largest = w.reduce((most, value) => Math.max(most, Math.abs(value)), 1e-9);
    const colours = greyOrColour(w.map((value) => (127 / 90 / largest) * value), side, C);
    paint(id, side, C === 3 ? colours : (i) => signed(w[i], largest));
  }
  const [first] = seen.winners[chosen], a = seen.h[chosen * S * S + first];
  const where = a > 0 ? `wins at row ${Math.floor(first / S) + 1}, column ${(first % S) + 1}, with ${a.toFixed(2)}.` : "has no winner above zero.";
  find("mapTitle").textContent = `Map ${chosen + 1} of ${maps()}`;
  find("map").value = off.has(chosen) ? "is off." : winners() === 1 ? where : `has ${seen.winners[chosen].length} winners.`;
}

function showHint() {
  const n = find("n").value, filters = find("filters").value;
  const several = n !== "1" && filters === "trained";
  const wrong = WRONG[filters === "same" ? (n === "all" ? 784 : n) : filters];
  const judged = maps() === 16 && !several && wrong !== undefined ? ` Its read-out gets ${wrong} of 10,000 test digits wrong; with one winner it is ${WRONG[1]}. (All read-outs from 10,000 digits.)` : "";
  find("hint").textContent =
    maps() === 512 ? "512 filters that learnt from CIFAR-10 with one winner a map. They see the picture whitened, and rebuild that."
    : filters === "random" ? "Filters drawn at random, each as strong as a trained one: they rebuild nothing, and their read-out still reads."
    : filters === "shuffled" ? "Trained filters with the pixels of each in another order: the same numbers, no shape."
    : several ? "These filters learnt with one winner a map, so as many as now lay too much down: the reconstruction is too bright. “Copying machine” takes filters that learnt with all."
    : filters === "same" && n === "all" ? "A copying machine: the error is almost zero, every map that is not dark is one more picture of the digit, and none says where anything is."
    : filters === "same" && n !== "1" ? `These filters learnt with ${n} winners a map.`
    : "One winner a map: a filter that may be used once has to be worth it.";
  find("hint").textContent += judged;
}

// --- what the reader does ---

function toggle(k) {
  if (!off.delete(k)) off.add(k);
  show();
}

function pointAt(k) {
  if (k === chosen) return;
  chosen = k;
  showSeen();
}

/** One stroke of the pen from one point to another; a rubber, which is wider, takes away. */
function stroke(from, to) {
  if (picture) takeDigits();
  const rubber = find("rubber").checked;
  Object.assign(ink, { lineWidth: rubber ? 34 : 24, lineCap: "round", strokeStyle: "#fff" });
  ink.globalCompositeOperation = rubber ? "destination-out" : "source-over";
  ink.beginPath(); ink.moveTo(...from); ink.lineTo(to[0] + 0.01, to[1]); ink.stroke(); // a line of no length leaves no dot
  ink.globalCompositeOperation = "source-over";
  x = centred();
  show();
}

let last = null;
function pointOf(event) {
  const at = find("draw").getBoundingClientRect();
  return [((event.clientX - at.left) * 280) / at.width, ((event.clientY - at.top) * 280) / at.height];
}
find("draw").addEventListener("pointerdown", (event) => {
  find("draw").setPointerCapture(event.pointerId);
  last = pointOf(event);
  stroke(last, last);
});
find("draw").addEventListener("pointermove", (event) => {
  if (!event.buttons || !last) return;
  const to = pointOf(event);
  stroke(last, to);
  last = to;
});
find("draw").addEventListener("pointerup", () => { last = null; });
find("draw").onfocus = find("draw").onblur = showDrawing;
find("draw").onkeydown = (event) => {
  const step = { ArrowLeft: [0, -8], ArrowRight: [0, 8], ArrowUp: [-8, 0], ArrowDown: [8, 0] }[event.key];
  const from = [pen.v, pen.u];
  if (event.key === " ") pen.down = !pen.down;
  else if (step) {
    const inside = (value) => Math.min(268, Math.max(12, value));
    pen.u = inside(pen.u + step[0]); pen.v = inside(pen.v + step[1]);
  } else return;
  event.preventDefault();
  if (pen.down) stroke(from, [pen.v, pen.u]);
  else showDrawing();
};

function clear() {
  ink.clearRect(0, 0, 280, 280);
  box = null; picture = null; asked = null; pen.down = false;
  x = new Float64Array(28 * 28);
}
function takeDigits() {
  clear();
  if (maps() === 512) choose("128", "trained", find("n").value);
}
/** A digit of the test set, exactly; it is ink as well, so that one can draw on. */
function takeDigit(label) {
  takeDigits();
  shown[label] = (shown[label] + 1) % DIGITS[label].length;
  x = Float64Array.from(bytes(DIGITS[label][shown[label]]), (value) => value / 255);
  const image = new ImageData(28, 28);
  x.forEach((value, i) => image.data.set([255, 255, 255, 255 * value], 4 * i));
  small.putImageData(image, 0, 0);
  ink.drawImage(small.canvas, 0, 0, 280, 280);
  show();
}
function takePicture({ pixels, whitened }) {
  clear();
  picture = Float64Array.from(bytes(pixels), (value) => (value - 128) / 90);
  x = unpack(whitened);
  choose("512", "trained", "1");
  show();
}

function choose(network, filters, n) {
  if (find("network").value !== network) { off = new Set(); chosen = 0; }
  find("network").value = network; find("n").value = n;
  for (const option of find("filters").options)
    option.disabled = option.value === "same" ? network !== "16" : network === "512" && option.value !== "trained";
  const wanted = [...find("filters").options].find((option) => option.value === filters);
  find("filters").value = wanted.disabled ? "trained" : filters;
}
find("network").onchange = () => {
  const wanted = find("network").value;
  off = new Set(); chosen = 0; asked = null;
  if (wanted === "512" && !picture) return takePicture(PICTURES[0]);
  if (wanted !== "512" && picture) clear();
  choose(wanted, find("filters").value, find("n").value);
  show();
};
find("filters").onchange = find("n").onchange = find("noise").oninput = show;
find("copying").onclick = () => { if (picture) clear(); choose("16", "same", "all"); show(); };
find("reset").onclick = () => { if (picture) clear(); off = new Set(); find("noise").value = 0; choose("128", "trained", "1"); show(); };
find("clear").onclick = () => { takeDigits(); show(); };
find("allOn").onclick = () => { off = new Set(); show(); };
for (const id of ["maps", "free", "features"]) {
  const grid = find(id);
  const under = (event) => {
    const at = grid.getBoundingClientRect(), [across, rows] = columnsAndRows();
    const inside = (from, size, n) => Math.min(n - 1, Math.max(0, Math.floor((from / size) * n)));
    const k = inside(event.clientY - at.top, at.height, rows) * across + inside(event.clientX - at.left, at.width, across);
    return k < maps() ? k : chosen; // 16 maps leave two cells empty
  };
  grid.onpointermove = (event) => pointAt(under(event));
  grid.onclick = (event) => { chosen = under(event); toggle(chosen); };
  grid.onkeydown = (event) => {
    const [across] = columnsAndRows();
    const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -across, ArrowDown: across }[event.key];
    if (event.key === "Enter" || event.key === " ") toggle(chosen);
    else if (step) pointAt((chosen + step + maps()) % maps());
    else return;
    event.preventDefault();
  };
}
let wasWide = window.innerWidth < 640;
window.onresize = () => { if (wasWide !== (wasWide = window.innerWidth < 640)) show(); };

const buttons = (id) => find(id).querySelectorAll("button");
buttons("digits").forEach((one, label) => { one.onclick = () => takeDigit(label); });
buttons("pictures").forEach((one, i) => { one.onclick = () => takePicture(PICTURES[i]); });
buttons("classes").forEach((one, digit) => {
  one.onclick = () => { asked = asked === digit ? null : digit; show(); };
});
choose("128", "trained", "1");
show();
