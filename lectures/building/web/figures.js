// Four small figures of the lectures that the reader moves.  Each is made where it stands, while the
// page is read, so that nothing jumps afterwards; nothing moves by itself.
"use strict";

/** Make the figure of this name in place of the script that calls. */
function movingFigure(name) {
  const figure = document.createElement("figure");
  figure.className = "moving";
  figure.id = `moving-${name}`;
  document.currentScript.replaceWith(figure);
  MOVING_FIGURES[name](figure);
}

// --- what they share ---

/** An element with attributes (on…: functions) and children, of HTML or, below `svg`, of SVG. */
function element(tag, attributes = {}, ...children) {
  const drawn = ["svg", "g", "rect", "text", "line", "path", "circle"].includes(tag);
  const made = drawn ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
  for (const [key, value] of Object.entries(attributes))
    if (key.startsWith("on")) made[key] = value;
    else made.setAttribute(key, value);
  made.append(...children);
  return made;
}

const minus = (value) => String(value).replace("-", "−");

/** A grid of numbers in a drawing.  `style(i, j)` names the classes of a cell, `onCell(i, j)` is
    called where one is clicked. */
function grid(left, top, cell, values, title, style = () => "", onCell = null) {
  const group = element("g", { transform: `translate(${left} ${top})` });
  group.append(element("text", { class: "title", x: 0, y: -7 }, title));
  values.forEach((row, i) =>
    row.forEach((value, j) => {
      const one = element("g", { class: `cell ${style(i, j)}`, transform: `translate(${j * cell} ${i * cell})` });
      one.append(element("rect", { width: cell, height: cell }));
      one.append(element("text", { x: cell / 2, y: cell / 2, "font-size": cell * 0.52 }, value === null ? "" : minus(value)));
      if (onCell) one.onclick = () => onCell(i, j);
      group.append(one);
    }),
  );
  return group;
}

/** A slider with its name and, beside it, what it stands at. */
function slider(name, least, most, value, moved, step = 1) {
  const input = element("input", { type: "range", min: least, max: most, step, value });
  input.oninput = () => moved(Number(input.value));
  return { label: element("label", {}, `${name} `, input), input };
}

function choice(name, options, chosen) {
  const select = element("select", {}, ...Object.entries(options).map(([value, text]) => element("option", { value }, text)));
  select.onchange = () => chosen(select.value);
  return { label: element("label", {}, `${name} `, select), select };
}

/** Drawing, controls and the sentence that says what is to be seen; the sentence is spoken. */
function frame(figure, { width, height, about, controls, lines = 2 }) {
  const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": about });
  const says = element("p", { class: "says", role: "status", style: `min-height: ${1.5 * lines}em` });
  figure.append(svg, element("div", { class: "moving-controls" }, ...controls), says);
  return { svg, says };
}

// --- lecture 1: im2col and back ---

function im2colFigure(figure) {
  const x = [[1, 2, 0, 3, 1], [0, 1, 3, 1, 2], [4, 0, 1, 0, 5], [2, 6, 1, 2, 0], [1, 0, 7, 3, 2]];
  const places = [...Array(9).keys()];
  const pixelOf = (row, column) => [Math.floor(column / 3) + Math.floor(row / 3), (column % 3) + (row % 3)];
  const columns = places.map((row) => places.map((column) => { const [u, v] = pixelOf(row, column); return x[u][v]; }));
  let window_ = 0, pixel = null;
  const moveWindow = (to) => { window_ = to; pixel = null; draw(); };
  const movePixel = (to) => { pixel = to; draw(); };
  const windows = slider("Window", 1, 9, 1, (at) => moveWindow(at - 1));
  const pixels = slider("Pixel", 1, 25, 1, (at) => movePixel(at - 1));
  const { svg, says } = frame(figure, {
    width: 360, height: 215, about: "An image of 5×5 pixels, and its nine patches of 3×3 as columns of a matrix",
    controls: [windows.label, pixels.label],
  });
  function draw() {
    const [P, Q] = [Math.floor(window_ / 3), window_ % 3], [U, V] = pixel === null ? [] : [Math.floor(pixel / 5), pixel % 5];
    const inWindow = (i, j) => i >= P && i < P + 3 && j >= Q && j < Q + 3;
    const cameFrom = (row, column) => pixelOf(row, column).join() === [U, V].join();
    svg.replaceChildren(
      grid(8, 24, 25, x, "image x", (i, j) => (pixel === null ? (inWindow(i, j) ? "one" : "") : i === U && j === V ? "two" : ""),
        (i, j) => movePixel(5 * i + j)),
      grid(165, 24, 20.5, columns, "im2col(x): a patch a column",
        (row, column) => (pixel === null ? (column === window_ ? "one" : "") : cameFrom(row, column) ? "two" : ""),
        (row, column) => moveWindow(column)),
    );
    windows.input.value = window_ + 1;
    if (pixel !== null) pixels.input.value = pixel + 1;
    const times = columns.flat().filter((_, i) => cameFrom(Math.floor(i / 9), i % 9)).length;
    says.textContent = pixel === null
      ? `Window ${window_ + 1} of 9, at row ${P + 1}, column ${Q + 1}: its nine pixels are column ${window_ + 1} of the matrix.`
      : `The pixel at row ${U + 1}, column ${V + 1} came to ${times} place${times > 1 ? "s" : ""} of the matrix; col2im adds what stands there back to it.`;
  }
  draw();
}

// --- lectures 1 and 2: collecting, laying down, and the flip ---

function flipFigure(figure) {
  const x = [[1, 2, 0], [0, 1, 3], [4, 0, 1]], w = [[1, -1], [2, 0]], h = [[1, 0], [2, -1]];
  const flipped = [[0, 2], [-1, 1]], padded = [[0, 0, 0, 0], [0, 1, 0, 0], [0, 2, -1, 0], [0, 0, 0, 0]];
  const ways = {
    valid: "valid correlation: collect",
    full: "full convolution: lay the kernel down",
    collect: "full convolution: collect, kernel flipped",
  };
  let way = "valid", step = 0;
  const select = choice("What", ways, (value) => { way = value; step = 0; steps.input.max = value === "collect" ? 9 : 4; draw(); });
  const steps = slider("Step", 1, 4, 1, (at) => { step = at - 1; draw(); });
  const { svg, says } = frame(figure, {
    width: 360, height: 150, about: "A kernel on its way over an image, with the numbers",
    controls: [select.label, steps.label], lines: 3,
  });
  const sum = (terms, total) => `${terms.map(([a, b]) => `${minus(a)}·${b < 0 ? `(${minus(b)})` : b}`).join(" + ")} = ${minus(total)}`;
  /** Collecting: the kernel lies on the image at (p, q), what lies on top of each other is multiplied. */
  function collected(image, kernel, size) {
    const value = (p, q) => kernel.flatMap((row, i) => row.map((k, j) => [image[p + i][q + j], k]));
    const total = (p, q) => value(p, q).reduce((s, [a, b]) => s + a * b, 0);
    const [P, Q] = [Math.floor(step / size), step % size];
    const made = [...Array(size).keys()].map((p) => [...Array(size).keys()].map((q) => (p * size + q <= step ? total(p, q) : null)));
    return { P, Q, made, terms: value(P, Q), total: total(P, Q) };
  }
  function draw() {
    steps.input.value = step + 1;
    const under = (P, Q) => (i, j) => (i >= P && i < P + 2 && j >= Q && j < Q + 2 ? "one" : "");
    if (way === "full") {
      const sheet = [[0, 0, 0], [0, 0, 0], [0, 0, 0]], [P, Q] = [step >> 1, step % 2];
      for (let unit = 0; unit <= step; unit++)
        for (let i = 0; i < 2; i++) for (let j = 0; j < 2; j++) sheet[(unit >> 1) + i][(unit % 2) + j] += h[unit >> 1][unit % 2] * w[i][j];
      svg.replaceChildren(
        grid(8, 30, 28, h, "code h", (i, j) => (2 * i + j === step ? "two" : "")),
        grid(120, 30, 28, w.map((row) => row.map((k) => h[P][Q] * k || 0)), `${minus(h[P][Q])} · kernel`, () => "one"),
        grid(240, 30, 28, sheet, "what lies there", under(P, Q)),
      );
      says.textContent = `Step ${step + 1} of 4: the kernel is laid down at row ${P + 1}, column ${Q + 1}, times ${minus(h[P][Q])}, and added to what lies there.` +
        (step === 3 ? " That is the full convolution." : "");
      return;
    }
    const valid = way === "valid", image = valid ? x : padded, kernel = valid ? w : flipped;
    const { P, Q, made, terms, total } = collected(image, kernel, valid ? 2 : 3);
    svg.replaceChildren(
      grid(8, 30, valid ? 28 : 24, image, valid ? "image x" : "h, with zeros around", under(P, Q)),
      grid(140, 30, 28, kernel, valid ? "kernel" : "flip(kernel)", () => "one"),
      grid(240, 30, 28, made, valid ? "map y" : "full convolution", (i, j) => (i === P && j === Q ? "two" : "")),
    );
    says.textContent = `Step ${step + 1} of ${valid ? 4 : 9}: ${sum(terms, total)}.` +
      (!valid && step === 8 ? " The same nine numbers as by laying the kernel down." : "");
  }
  draw();
}

// --- lecture 5: max-pooling with its mask, and unpooling ---

function poolingFigure(figure) {
  const start = [[1, 2, 0, 3], [5, 0, 1, 1], [2, 2, 7, 0], [1, 0, 4, 6]], dy = [[0.3, -1.2], [0.8, 0.5]];
  const inputs = start.map((row, i) => row.map((value, j) =>
    element("input", { type: "number", value, min: -99, max: 99, "aria-label": `map h, row ${i + 1}, column ${j + 1}`, oninput: draw })));
  const table = (title, rows) => element("div", {}, element("h4", {}, title),
    element("table", {}, ...rows.map((row) => element("tr", {}, ...row.map(({ content, style = "" }) => element("td", { class: style }, content))))));
  const fill = (values) => inputs.forEach((row, i) => row.forEach((input, j) => { input.value = values[i][j]; }));
  const random = () => start.map((row) => row.map(() => Math.floor(10 * Math.random())));
  const panels = element("div", { class: "panels" });
  const says = element("p", { class: "says", role: "status", style: "min-height: 4.5em" });
  figure.append(panels, element("div", { class: "moving-controls" },
    element("button", { type: "button", onclick: () => { fill(random()); draw(); } }, "Other numbers"),
    element("button", { type: "button", onclick: () => { fill(start); draw(); } }, "As it was")), says);
  panels.append(table("map h (change a number)", inputs.map((row) => row.map((content) => ({ content })))));
  function draw() {
    const h = inputs.map((row) => row.map((input) => Number(input.value)));
    const winner = [0, 1, 2, 3].map((square) => {
      const units = [0, 1, 2, 3].map((unit) => [2 * (square >> 1) + (unit >> 1), 2 * (square % 2) + (unit % 2)]);
      return units.reduce((best, unit) => (h[unit[0]][unit[1]] > h[best[0]][best[1]] ? unit : best));
    });
    const wins = (i, j) => winner.some(([u, v]) => u === i && v === j), squareOf = (i, j) => [i >> 1, j >> 1];
    const made = (value, style) => start.map((row, i) => row.map((_, j) => ({ content: minus(value(i, j)), style: style(i, j) })));
    const shade = (i, j) => (wins(i, j) ? "one" : "");
    inputs.forEach((row, i) => row.forEach((input, j) => { input.className = shade(i, j); }));
    const small = (values, style = "two") => [0, 1].map((p) => [0, 1].map((q) => ({ content: minus(values(p, q)), style })));
    while (panels.children.length > 1) panels.lastChild.remove();
    panels.append(
      table("mask m", made((i, j) => (wins(i, j) ? 1 : 0), shade)),
      table("pooled y", small((p, q) => { const [u, v] = winner[2 * p + q]; return h[u][v]; }, "one")),
      table("unpooled", made((i, j) => (wins(i, j) ? h[i][j] : 0), shade)),
      table("gradient of y", small((p, q) => dy[p][q])),
      table("gradient of h", made((i, j) => { const [p, q] = squareOf(i, j); return wins(i, j) ? dy[p][q] : 0; }, (i, j) => (wins(i, j) ? "two" : ""))),
    );
    const names = ["upper left", "upper right", "lower left", "lower right"];
    const ties = names.filter((_, square) => {
      const [u, v] = winner[square], top = u - (u % 2), left = v - (v % 2);
      return [0, 1, 2, 3].filter((unit) => h[top + (unit >> 1)][left + (unit % 2)] === h[u][v]).length > 1;
    });
    says.textContent = "One unit of each square wins; its gradient goes there and nowhere else." +
      (ties.length ? ` Equal ones (${ties.join(", ")}): the first in reading order wins.` : "");
  }
  draw();
}

// --- lecture 2: a gradient check over a kink ---

function kinkFigure(figure) {
  const functions = {
    relu: { text: "max(0, x)", f: (x) => Math.max(0, x) },
    curve: { text: "x² / 2 + x / 2", f: (x) => (x * x) / 2 + x / 2 },
  };
  let name = "relu", x = -0.6, s = 0.4;
  const select = choice("Function", { relu: functions.relu.text, curve: functions.curve.text }, (value) => { name = value; draw(); });
  const xs = slider("x", -1, 1, x, (value) => { x = value; draw(); }, 0.05);
  const halving = slider("Step halved", 0, 4, 0, (times) => { s = 0.4 / 2 ** times; draw(); });
  const { svg, says } = frame(figure, {
    width: 360, height: 205, about: "A function, a point on it, and the difference quotients to its left and right",
    controls: [select.label, xs.label, halving.label], lines: 5,
  });
  const across = (t) => 180 + 115 * t, up = (y) => 160 - 100 * y;
  const atPointer = (event) => {
    const box = svg.getBoundingClientRect(), t = (((event.clientX - box.left) / box.width) * 360 - 180) / 115;
    x = Math.min(1, Math.max(-1, Math.round(20 * t) / 20)) || 0;
    draw();
  };
  svg.onpointerdown = (event) => { svg.setPointerCapture(event.pointerId); atPointer(event); };
  svg.onpointermove = (event) => { if (event.buttons) atPointer(event); };
  function draw() {
    const { f } = functions[name], left = (t) => (f(x) - f(x - t)) / t, right = (t) => (f(x + t) - f(x)) / t;
    xs.input.value = x;
    const line = (slope, side, style) => element("line", { class: style, x1: across(x), y1: up(f(x)),
      x2: across(x + 0.55 * side), y2: up(f(x) + 0.55 * side * slope) });
    const points = [...Array(141).keys()].map((i) => (i - 70) / 50);
    const dot = (t, style) => element("circle", { class: style, cx: across(t), cy: up(f(t)), r: t === x ? 6 : 4 });
    svg.replaceChildren(
      element("line", { class: "axis", x1: 10, x2: 350, y1: up(0), y2: up(0) }),
      element("line", { class: "axis", x1: across(0), x2: across(0), y1: 12, y2: 200 }),
      element("path", { class: "curve", d: `M${points.map((t) => `${across(t)} ${up(f(t))}`).join("L")}` }),
      line(left(s), -1, "left"), line(right(s), 1, "right"), dot(x - s, "left"), dot(x + s, "right"), dot(x, "at"),
      element("text", { class: "title", x: 12, y: 16 }, functions[name].text),
    );
    const gap = Math.abs(right(s) - left(s)), halved = Math.abs(right(s / 2) - left(s / 2));
    const number = (value) => minus((Math.abs(value) < 5e-4 ? 0 : value).toFixed(3));
    const verdict = gap < 1e-9 ? "They agree."
      : halved < 0.75 * gap ? `They differ by ${number(gap)}; with half the step by ${number(halved)}: halving helps, so the function only bends here, or a kink lies within the step.`
      : `They differ by ${number(gap)}, and half the step leaves ${number(halved)}: a kink, where there is no derivative to check.`;
    says.textContent = `x = ${minus(x.toFixed(2))}, step ${s}: from the left ${number(left(s))}, from the right ${number(right(s))}, both sides together ${number((left(s) + right(s)) / 2)}. ${verdict}`;
  }
  draw();
}

const MOVING_FIGURES = { im2col: im2colFigure, flip: flipFigure, pooling: poolingFigure, kink: kinkFigure };
