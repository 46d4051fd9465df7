// The drawing pad: draw a digit, and watch a network read it. It stands in a notebook (render) and on a page (mount).
//
// Images are (28, 28) grey values, 0 background to 255 ink, row by row. A network is what describe_network of
// reading.py writes: its steps, each a layer with its weights and the squashing function behind it.

const SIDE = 28, BOX = 20, FAINT = 0.1, PAD = 280, BRUSH = 0.09; // as in drawings.py

// ---- from a drawing to an image: drawings.py once more, equal to one grey value ----

/** Ink, 0 to 1 in rows, brought to MNIST's form as a Uint8Array of 784; null if there is none. */
export function prepare(ink, width, height) {
  const faint = FAINT * ink.reduce((most, value) => Math.max(most, value), 0);
  let [top, left, bottom, right] = [height, width, -1, -1];
  for (let i = 0; i < ink.length; i++) {
    if (ink[i] > faint) {
      const row = Math.floor(i / width), column = i % width;
      [top, bottom] = [Math.min(top, row), Math.max(bottom, row)];
      [left, right] = [Math.min(left, column), Math.max(right, column)];
    }
  }
  if (bottom < 0) return null;
  const [rows, columns] = [bottom - top + 1, right - left + 1];
  const cut = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    cut.set(ink.slice((top + row) * width + left, (top + row) * width + right + 1), row * columns);
  }
  const scale = BOX / Math.max(rows, columns);
  const [h, w] = [rows, columns].map((side) => Math.max(1, Math.floor(side * scale + 0.5)));
  const small = resample(cut, rows, columns, h, w), most = Math.max(...small);
  const inRows = new Float64Array(h), inColumns = new Float64Array(w);
  small.forEach((value, i) => { inRows[Math.floor(i / w)] += value; inColumns[i % w] += value; });
  const y = findCorner(inRows), x = findCorner(inColumns), image = new Uint8Array(SIDE * SIDE);
  small.forEach((value, i) => {
    image[(y + Math.floor(i / w)) * SIDE + x + i % w] = Math.floor(255 * value / most + 0.5);
  });
  return image;
}

/** The whole drawing made small, as it is: what a network gets without MNIST's preparation. */
export function shrink(ink, width, height) {
  if (!ink.some((value) => value > 0)) return null;
  return Uint8Array.from(resample(ink, height, width, SIDE, SIDE), (value) => Math.floor(255 * value + 0.5));
}

/** For each new pixel the first old one that it reads, and the weights of this and the next ones: triangles. */
function weigh(before, after) {
  const scale = before / after, reach = Math.max(scale, 1), windows = [];
  for (let i = 0; i < after; i++) {
    const centre = (i + 0.5) * scale;
    const first = Math.max(0, Math.ceil(centre - reach - 0.5)), weights = [];
    for (let j = first; j < before && j + 0.5 < centre + reach; j++) {
      weights.push(Math.max(0, 1 - Math.abs(j + 0.5 - centre) / reach));
    }
    const sum = weights.reduce((a, b) => a + b);
    windows.push({ first, weights: weights.map((weight) => weight / sum) });
  }
  return windows;
}

function resample(values, height, width, newHeight, newWidth) {
  const down = weigh(height, newHeight), across = weigh(width, newWidth);
  const rows = new Float64Array(newHeight * width), result = new Float64Array(newHeight * newWidth);
  down.forEach(({ first, weights }, y) => weights.forEach((weight, k) => {
    for (let x = 0; x < width; x++) rows[y * width + x] += weight * values[(first + k) * width + x];
  }));
  for (let y = 0; y < newHeight; y++) {
    across.forEach(({ first, weights }, x) => weights.forEach((weight, k) => {
      result[y * newWidth + x] += weight * rows[y * width + first + k];
    }));
  }
  return result;
}

function findCorner(sums) {
  let all = 0, moment = 0;
  sums.forEach((sum, i) => { all += sum; moment += i * sum; });
  const corner = Math.floor(SIDE / 2 - moment / all + 0.5 + 1e-6);
  return Math.min(Math.max(corner, 0), SIDE - sums.length);
}

// ---- the networks ----

/** Turn the weights of a described network from base64 into numbers. */
export function decode(network) {
  const read = (stored) => stored && {
    shape: stored.shape,
    values: new Float32Array(Uint8Array.from(atob(stored.base64), (letter) => letter.charCodeAt(0)).buffer),
  };
  const steps = network.steps.map((step) => ({ ...step, weight: read(step.weight), bias: read(step.bias) }));
  return { ...network, steps };
}

/** What each step makes of an image: {stages: [{shape, values}], logits}, as PyTorch computes it. */
export function forward(network, image) {
  let x = takeIn(network, image);
  const stages = network.steps.map((step) => {
    x = { shape: step.shape, values: LAYERS[step.kind](x, step).map(SQUASHES[step.squash]) };
    return x;
  });
  return { stages, logits: Array.from(x.values) };
}

/** prepare_images of data.py: a border or a larger image, then mean and standard deviation. */
function takeIn({ size, method, mean, std }, image) {
  let grey = new Float64Array(size * size);
  if (method === "pad") {
    const border = (size - SIDE) / 2;
    image.forEach((value, i) => { grey[(Math.floor(i / SIDE) + border) * size + i % SIDE + border] = value; });
  } else {
    grey = resample(image, SIDE, SIDE, size, size).map((value) => { // to whole grey values, halves to the even one
      const floor = Math.floor(value), rest = value - floor;
      return rest > 0.5 || (rest === 0.5 && floor % 2) ? floor + 1 : floor;
    });
  }
  return { shape: [1, size, size], values: grey.map((value) => (value / 255 - mean) / std) };
}

const SQUASHES = {
  "": (a) => a,
  "tanh": Math.tanh,
  "scaled tanh": (a) => 1.7159 * Math.tanh(a * 2 / 3),
  "relu": (a) => Math.max(0, a),
  "sigmoid": (a) => 1 / (1 + Math.exp(-a)),
};

/** The number of each 2x2 square: f takes its four values and the number of the map. */
function pool(x, f) {
  const [maps, height, width] = x.shape, h = Math.floor(height / 2), w = Math.floor(width / 2);
  const result = new Float64Array(maps * h * w);
  for (let i = 0; i < result.length; i++) {
    const map = Math.floor(i / (h * w)), row = Math.floor(i / w) % h;
    const at = (map * height + 2 * row) * width + 2 * (i % w);
    result[i] = f(x.values[at], x.values[at + 1], x.values[at + width], x.values[at + width + 1], map);
  }
  return result;
}

const LAYERS = {
  convolution(x, { weight, bias }) {
    const [targets, sources, size] = weight.shape, [, height, width] = x.shape;
    const h = height - size + 1, w = width - size + 1, result = new Float64Array(targets * h * w);
    for (let target = 0; target < targets; target++) {
      const start = target * h * w;
      result.fill(bias.values[target], start, start + h * w);
      for (let k = 0; k < sources * size * size; k++) {
        const value = weight.values[target * sources * size * size + k];
        if (value === 0) continue; // this map does not read that one
        const source = Math.floor(k / (size * size)), down = Math.floor(k / size) % size, across = k % size;
        for (let row = 0; row < h; row++) {
          const from = (source * height + row + down) * width + across, to = start + row * w;
          for (let column = 0; column < w; column++) result[to + column] += value * x.values[from + column];
        }
      }
    }
    return result;
  },
  linear(x, { weight, bias }) {
    const inputs = x.values.length;
    return Float64Array.from(bias.values, (sum, unit) => {
      for (let i = 0; i < inputs; i++) sum += weight.values[unit * inputs + i] * x.values[i];
      return sum;
    });
  },
  distance(x, { weight }) {
    const inputs = x.values.length, digits = Array.from({ length: weight.shape[0] }, (_, digit) => digit);
    return Float64Array.from(digits, (digit) => {
      return -x.values.reduce((sum, value, i) => sum + (value - weight.values[digit * inputs + i]) ** 2, 0);
    });
  },
  mean: (x) => pool(x, (a, b, c, d) => (a + b + c + d) / 4),
  max: (x) => pool(x, (a, b, c, d) => Math.max(a, b, c, d)),
  sum: (x, { weight, bias }) => pool(x, (a, b, c, d, map) => (a + b + c + d) * weight.values[map] + bias.values[map]),
};

/** Digit, score and words of an answer. The score is the largest probability, or minus the smallest distance. */
export function judge(network, logits) {
  const most = Math.max(...logits), best = logits.indexOf(most);
  const byDistance = network.steps.at(-1).kind === "distance";
  const powers = logits.map((logit) => Math.exp(logit - most)), all = powers.reduce((a, b) => a + b);
  const probabilities = powers.map((power) => power / all);
  const score = byDistance ? most : probabilities[best], sure = score >= network.threshold;
  const howSure = byDistance ? `distance ${(-most).toFixed(1)}` : sayPercent(score);
  const words = sure ? `${best}` : byDistance ? "no digit" : "not sure";
  const rest = sure ? howSure : `${byDistance ? "the nearest is" : "perhaps"} a ${best}, ${howSure}`;
  return { best, byDistance, probabilities, score, sure, words, rest };
}

const sayPercent = (share) => (share > 0.999 ? "over 99.9 %" : `${(100 * share).toFixed(1)} %`);

/** The square of the digit's pixels, {top, left, size}, that a unit in a row and column of a step depends on. */
export function findField(network, index, row, column) {
  let size = 1;
  for (const step of network.steps.slice(0, index + 1).reverse()) {
    const window = step.kind === "convolution" ? step.weight.shape[2] : 2;
    if (step.shape.length === 1 && step.kind !== "convolution") [row, column, size] = [0, 0, Infinity];
    else if (step.kind === "convolution") size += window - 1;
    else [row, column, size] = [2 * row, 2 * column, 2 * size];
  }
  size = Math.min(size, network.size);
  const scale = network.method === "pad" ? 1 : SIDE / network.size; // and the border, where there is one
  const border = network.method === "pad" ? (network.size - SIDE) / 2 : 0;
  return { top: scale * (row - border), left: scale * (column - border), size: scale * size };
}

// ---- what is to be seen ----

/** An element with its properties (with a hyphen, or role: attributes) and children. */
function make(kind, properties = {}, ...children) {
  const element = document.createElement(kind);
  for (const [name, value] of Object.entries(properties)) {
    if (name.includes("-") || name === "role") element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** Blue for -1, white for 0, red for 1, as in the course's pictures. */
function colour(value) {
  const [half, full] = value < 0 ? [[146, 197, 222], [33, 102, 172]] : [[244, 165, 130], [178, 24, 43]];
  const t = Math.min(2 * Math.abs(value), 2), [from, to] = t < 1 ? [[247, 247, 247], half] : [half, full];
  return from.map((start, i) => start + (t - (t < 1 ? 0 : 1)) * (to[i] - start));
}

/** How maps (M, h, w), or K numbers, are laid out: columns, pixels of a map, the gap, screen pixels of a pixel. */
function layOut(shape) {
  const [maps, h, w] = shape.length === 3 ? shape : [shape[0], 1, 1], gap = h > 1 ? 1 : 0;
  let columns = Math.min(maps, maps > 6 ? Math.ceil(Math.sqrt(maps)) : 3);
  while (maps > 6 && maps % columns) columns += 1;
  if (maps === 84) columns = 7; // as the codes of 1998
  const zoom = h >= 20 ? 2 : h >= 8 ? 3 : h > 1 ? 6 : 9;
  return { maps, h, w, gap, columns, zoom, rows: Math.ceil(maps / columns) };
}

/** Draw maps, or numbers, side by side on a canvas, each pixel of the canvas one value. */
function drawMaps(canvas, shape, values) {
  const { maps, h, w, gap, columns, zoom, rows } = layOut(shape);
  [canvas.width, canvas.height] = [columns * (w + gap) - gap, rows * (h + gap) - gap];
  canvas.style.width = `${zoom * canvas.width}px`;
  if (!values) return;
  const picture = new ImageData(canvas.width, canvas.height);
  const most = values.reduce((largest, value) => Math.max(largest, Math.abs(value)), 1e-9);
  for (let i = 0; i < maps * h * w; i++) {
    const map = Math.floor(i / (h * w)), row = Math.floor(i / w) % h;
    const y = Math.floor(map / columns) * (h + gap) + row, x = (map % columns) * (w + gap) + i % w;
    picture.data.set([...colour(values[i] / most), 255], 4 * (y * canvas.width + x));
  }
  canvas.getContext("2d").putImageData(picture, 0, 0);
}

/** Paint strokes, {width, points}, all lengths of the pad's side, moved, turned and thickened by a view. */
function paint(context, side, strokes, view) {
  context.setTransform(1, 0, 0, 1, 0, 0);
  context.clearRect(0, 0, context.canvas.width, context.canvas.height);
  context.setTransform(side, 0, 0, side, 0, 0);
  context.lineCap = context.lineJoin = "round";
  for (const { width, points } of place(strokes, view)) {
    context.beginPath();
    context.arc(...points[0], width / 2, 0, 7); // a dot, where the pen has not moved
    context.fill();
    context.lineWidth = width;
    context.beginPath();
    points.forEach((point) => context.lineTo(...point));
    context.stroke();
  }
}

function place(strokes, { right, down, turn, thicken }) {
  const points = strokes.flatMap((stroke) => stroke.points);
  const [x, y] = [0, 1].map((axis) => {
    const places = points.map((point) => point[axis]);
    return (Math.min(...places) + Math.max(...places)) / 2;
  });
  const [sine, cosine] = [Math.sin(turn * Math.PI / 180), Math.cos(turn * Math.PI / 180)];
  return strokes.map((stroke) => ({
    width: stroke.width * thicken,
    points: stroke.points.map(([a, b]) => [
      x + right + cosine * (a - x) - sine * (b - y), y + down + sine * (a - x) + cosine * (b - y),
    ]),
  }));
}

const STILL = { right: 0, down: 0, turn: 0, thicken: 1, fade: 0 };
const SLIDERS = { // what it says, smallest, largest, step
  right: ["move right", -0.5, 0.5, 0.01], down: ["move down", -0.5, 0.5, 0.01], turn: ["turn", -180, 180, 1],
  thicken: ["thicken", 0.3, 3, 0.05], fade: ["fade", 0, 0.95, 0.05],
};

/**
 * Build the pad into an element. ask(number of the network, image, done) has to call done({stages, logits}), at once
 * or later. ``example`` are strokes, lists of points, that stand there until the first stroke of one's own.
 */
function build(el, networks, example, ask) {
  let strokes = example.map((points) => ({ width: BRUSH, points }));
  let isExample = strokes.length > 0, view = { ...STILL }, pen = null, network = networks[0];
  let asked = 0, unanswered = 0, waiting = 0, frame = 0, answer = null, unit = null;

  // -- the elements --

  const paper = make("canvas", {
    className: "pad-paper", tabIndex: 0, role: "img",
    "aria-label": "Paper to draw a digit on, with mouse, pen or finger. By keys: arrows, and space for the pen",
  });
  const undo = make("button", { type: "button", textContent: "undo", onclick: () => edit(() => strokes.pop()) });
  const clear = make("button", { type: "button", textContent: "clear", onclick: () => edit(wipe) });
  const brush = addSlider("brush", 0.03, 0.2, 0.005, BRUSH, () => {});
  const choice = make("select", { onchange: () => { network = networks[choice.selectedIndex]; rebuild(); change(); } });
  networks.forEach(({ name }) => choice.append(make("option", { textContent: name })));
  const mnist = make("input", { type: "checkbox", checked: true, onchange: () => change() });
  const sliders = Object.entries(SLIDERS).map(([key, [text, least, most, step]]) =>
    [key, addSlider(text, least, most, step, STILL[key], (value) => { view[key] = value; draw(); change(); })]);
  const digit = make("canvas", { width: SIDE, height: SIDE, role: "img", "aria-label": "The 28 by 28 pixels" });
  const field = make("div", { className: "pad-field", hidden: true });
  const words = make("strong"), rest = make("span");
  const spoken = make("p", { className: "pad-spoken", "aria-live": "polite" });
  const bars = make("ol", { tabIndex: 0, "aria-label": "Answer" }), hint = make("p", { className: "pad-hint" });
  const journey = make("div", { className: "pad-journey" });
  const about = make("p"), kernel = make("canvas", { role: "img", "aria-label": "Its weights" });
  const rows = Array.from({ length: 10 }, (_, i) => {
    const bar = make("span", { className: "pad-bar" }), value = make("span", { className: "pad-value" });
    const row = make("li", {}, make("span", { textContent: i }), make("span", { className: "pad-track" }, bar), value);
    row.onpointerenter = () => inspect({ index: stages.length, map: i, row: 0, column: 0 });
    bars.append(row);
    return { row, bar, value };
  });
  let stages = [];
  el.classList.add("pad");
  el.dataset.lmSuppressShortcuts = "true"; // JupyterLab leaves the keys to the pad
  el.append(
    make("div", { className: "pad-top" },
      make("div", { className: "pad-draw" },
        paper, make("div", { className: "pad-buttons" }, undo, clear), brush.label),
      make("div", { className: "pad-side" },
        make("div", { className: "pad-shown" },
          make("div", { className: "pad-answer" },
            make("div", { className: "pad-digit" }, digit, field),
            make("p", { className: "pad-reading" }, words, rest), spoken),
          make("div", {}, bars, hint)),
        make("div", { className: "pad-controls" },
          make("label", {}, "network ", choice), make("label", {}, mnist, " as MNIST was made"),
          ...sliders.map(([, slider]) => slider.label)))),
    journey,
    make("p", { className: "pad-hint", textContent: "Blue is negative, white zero, red positive; a scale for each." }),
    make("div", { className: "pad-unit" }, about, kernel));

  function addSlider(text, min, max, step, value, whenMoved) {
    const shown = make("output"), input = make("input", { type: "range", min, max, step });
    const set = (number) => { input.value = number; shown.textContent = +(+number).toFixed(3); };
    input.oninput = () => { set(input.value); whenMoved(+input.value); };
    set(value);
    const label = make("label", { className: "pad-slider" }, make("span", { textContent: text }), input, shown);
    return { label, input, set };
  }

  // -- drawing --

  function wipe() {
    strokes = [];
    view = { ...STILL };
    sliders.forEach(([key, slider]) => slider.set(view[key]));
  }

  function edit(how) {
    how();
    isExample = false;
    draw();
    change();
  }

  function putDown(point) {
    if (isExample) wipe();
    else if (strokes.length) strokes = place(strokes, view); // what was moved and turned stays so,
    view = { ...STILL, fade: view.fade }; // and the pen draws where it is
    sliders.forEach(([key, slider]) => slider.set(view[key]));
    isExample = false;
    strokes.push({ width: +brush.input.value, points: [point] });
  }

  function draw() {
    const side = Math.round(paper.clientWidth * (window.devicePixelRatio || 1)) || PAD;
    if (paper.width !== side) [paper.width, paper.height] = [side, side];
    const context = paper.getContext("2d");
    context.fillStyle = context.strokeStyle = getComputedStyle(paper).color;
    context.globalAlpha = 1 - view.fade;
    paint(context, side, strokes, view);
    if (cursor && document.activeElement === paper) {
      context.globalAlpha = 1;
      context.lineWidth = 0.008;
      context.beginPath();
      context.arc(...cursor, 0.03, 0, 7);
      context.stroke();
    }
  }

  const hidden = make("canvas", { width: PAD, height: PAD }).getContext("2d", { willReadFrequently: true });
  function makeImage() {
    paint(hidden, PAD, strokes, view);
    const { data } = hidden.getImageData(0, 0, PAD, PAD), ink = new Float64Array(PAD * PAD);
    for (let i = 0; i < ink.length; i++) ink[i] = (1 - view.fade) * data[4 * i + 3] / 255;
    return (mnist.checked ? prepare : shrink)(ink, PAD, PAD);
  }

  const find = (event) => {
    const box = paper.getBoundingClientRect();
    return [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  };
  paper.onpointerdown = (event) => {
    if (pen !== null || event.button > 0) return;
    pen = event.pointerId;
    paper.setPointerCapture(pen);
    cursor = null;
    putDown(find(event));
    later();
  };
  paper.onpointermove = (event) => {
    if (event.pointerId !== pen) return;
    const events = event.getCoalescedEvents?.() ?? [];
    strokes.at(-1).points.push(...(events.length ? events : [event]).map(find));
    later();
  };
  paper.onpointerup = paper.onpointercancel = (event) => {
    if (event.pointerId !== pen) return;
    pen = null;
    cancelAnimationFrame(frame);
    frame = 0;
    draw();
    change(true);
  };
  function later() { // while drawing: once for each picture of the screen
    frame ||= requestAnimationFrame(() => { frame = 0; draw(); change(); });
  }

  // By keys: a cursor, and a pen that space puts down and lifts.
  let cursor = null, isDown = false;
  const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
  paper.onkeydown = (event) => {
    if (!ARROWS[event.key] && event.key !== " ") return;
    event.preventDefault();
    cursor ??= [0.5, 0.5];
    if (event.key === " ") {
      isDown = !isDown;
      if (isDown) putDown(cursor);
    } else {
      cursor = cursor.map((value, axis) => Math.min(Math.max(value + 0.025 * ARROWS[event.key][axis], 0), 1));
      if (isDown) strokes.at(-1).points.push(cursor);
    }
    draw();
    if (strokes.length) change();
  };
  paper.onblur = () => { isDown = false; draw(); };

  // -- asking and showing --

  /** Ask anew. While an answer is on its way only the pen's lifting is worth a second question. */
  function change(isUrgent = false) {
    asked += 1;
    el.dataset.asked = asked;
    if (!unanswered || isUrgent) read();
  }

  function read() {
    const number = asked, reader = network, image = makeImage();
    showDigit(image);
    if (!image) return show(null, number);
    unanswered += 1;
    clearTimeout(waiting);
    waiting = setTimeout(() => say("…", "waiting for the kernel: is it running, and free?"), 2000);
    ask(networks.indexOf(network), image, (result) => {
      clearTimeout(waiting);
      unanswered -= 1;
      if (reader === network) show(result, number);
      if (number !== asked && !unanswered) read();
    });
  }

  function showDigit(image) {
    const picture = new ImageData(SIDE, SIDE);
    for (let i = 0; i < SIDE * SIDE; i++) picture.data.set([...Array(3).fill(image ? image[i] : 0), 255], 4 * i);
    digit.getContext("2d").putImageData(picture, 0, 0);
  }

  function say(strong, weak) {
    words.textContent = strong;
    rest.textContent = weak;
  }

  function show(result, number) {
    answer = result;
    stages.forEach(({ canvas, step }, i) => drawMaps(canvas, step.shape, result?.stages[i].values));
    const judged = result && judge(network, result.logits);
    if (judged) say(judged.words, judged.rest);
    else say("", "The pad is blank: draw a digit.");
    const most = judged?.byDistance ? -Math.min(...result.logits) : 1;
    rows.forEach(({ row, bar, value }, i) => {
      const share = !judged ? 0 : judged.byDistance ? -result.logits[i] / most : judged.probabilities[i];
      bar.style.width = `${100 * share}%`;
      value.textContent = !judged ? "" : judged.byDistance ? (-result.logits[i]).toFixed(1) : sayPercent(share);
      row.classList.toggle("pad-best", judged?.best === i);
    });
    bars.style.setProperty("--threshold", `${100 * Math.abs(network.threshold) / most}%`);
    inspect(unit);
    if (pen === null) spoken.textContent = `${words.textContent} ${rest.textContent}`;
    el.dataset.answered = number;
  }

  /** Show a unit, {index of the step, map, row, column}: its value, what it sees of the digit, its weights. */
  function inspect(chosen) {
    unit = chosen;
    stages.forEach(({ mark }) => { mark.hidden = true; });
    field.hidden = kernel.hidden = !unit;
    if (!unit) {
      about.textContent = "Point at a unit, or go to one by Tab and the arrow keys: what it sees, and its weights.";
      return;
    }
    const { index, map, row, column } = unit, step = network.steps[index], isMap = step.shape.length === 3;
    const { h, w, gap, columns } = layOut(step.shape), seen = findField(network, index, row, column);
    place4(field, seen.left / SIDE, seen.top / SIDE, seen.size / SIDE, seen.size / SIDE);
    if (stages[index]) {
      const { canvas, mark } = stages[index];
      const x = (map % columns) * (w + gap) + column, y = Math.floor(map / columns) * (h + gap) + row;
      place4(mark, x / canvas.width, y / canvas.height, 1 / canvas.width, 1 / canvas.height);
      mark.hidden = false;
    }
    const value = answer?.stages[index].values[(map * h + row) * w + column];
    const where = isMap ? `map ${map}, row ${row}, column ${column}` : `number ${map}`; // from 0, as in Python
    const sees = Math.min(Math.round(seen.size), SIDE);
    about.textContent = `${step.name}, ${where}${value === undefined ? "" : `: ${value.toFixed(2)}`}. ` +
      `It sees ${sees}×${sees} pixels of the digit. ${describeWeights(step, map)}`;
    const weights = findWeights(index, map);
    kernel.hidden = !weights;
    if (weights) drawMaps(kernel, weights.shape, weights.values);
  }

  function place4(box, left, top, width, height) {
    Object.entries({ left, top, width, height }).forEach(([side, share]) => { box.style[side] = `${100 * share}%`; });
  }

  function describeWeights({ kind, weight, bias }, map) {
    if (kind === "mean" || kind === "max") return `The ${kind === "max" ? "largest" : "mean"} of 2×2 units.`;
    if (kind === "sum") {
      return `The sum of 2×2 units, times ${weight.values[map].toFixed(2)}, plus ${bias.values[map].toFixed(2)}.`;
    }
    if (kind === "distance") return "Its code, which F6 should show:";
    const size = weight.shape[2];
    return kind === "linear" ? "Its weights:" : `For each map that it reads, its kernel of ${size}×${size}:`;
  }

  /** The weights of a unit in the form of what it reads, {shape, values}; none of a pooling. */
  function findWeights(index, map) {
    const { kind, weight } = network.steps[index];
    if (!weight || kind === "sum") return null;
    const count = weight.values.length / weight.shape[0], values = weight.values.slice(map * count, (map + 1) * count);
    const before = index ? network.steps[index - 1].shape : [1, network.size, network.size];
    return { shape: kind === "convolution" ? weight.shape.slice(1) : before, values };
  }

  /** Lay out the stages of the network that is chosen. The last one, the answer, is the bars. */
  function rebuild() {
    unit = answer = null;
    stages = network.steps.slice(0, -1).map((step, index) => {
      const [maps, h, w] = step.shape, what = h ? `${maps} maps of ${h}×${w}` : `${maps} numbers`;
      const label = `${step.name}, ${what}: the arrow keys go from one to the next`;
      const canvas = make("canvas", { tabIndex: 0, role: "img", "aria-label": label });
      const mark = make("div", { className: "pad-mark", hidden: true });
      drawMaps(canvas, step.shape, null);
      canvas.onpointermove = canvas.onpointerdown = (event) => inspect(findUnit(event, canvas, step.shape, index));
      canvas.onpointerleave = () => { if (document.activeElement !== canvas) inspect(null); };
      canvas.onkeydown = (event) => walk(event, index);
      return { canvas, step, mark, what };
    });
    journey.replaceChildren(...stages.map(({ canvas, step, mark, what }) => make("figure", {},
      make("figcaption", {}, make("b", { textContent: step.name }), ` ${what}`), make("div", {}, canvas, mark))));
    const byDistance = network.steps.at(-1).kind === "distance";
    bars.setAttribute("aria-label", byDistance ? "Distance to the code of each digit" : "Probability of each digit");
    hint.textContent = byDistance
      ? "Distance to the code of each digit: the shortest wins, if it ends before the line."
      : "Probability of each digit. One that ends before the line is “not sure”.";
    bars.onkeydown = (event) => walk(event, network.steps.length - 1);
    bars.onpointerleave = () => { if (document.activeElement !== bars) inspect(null); };
    inspect(null);
  }

  function findUnit(event, canvas, shape, index) {
    const { maps, h, w, gap, columns } = layOut(shape), box = canvas.getBoundingClientRect();
    const x = Math.floor((event.clientX - box.left) / box.width * canvas.width);
    const y = Math.floor((event.clientY - box.top) / box.height * canvas.height);
    const map = Math.floor(y / (h + gap)) * columns + Math.floor(x / (w + gap));
    const row = y % (h + gap), column = x % (w + gap);
    return x >= 0 && y >= 0 && row < h && column < w && map < maps ? { index, map, row, column } : null;
  }

  /** The arrow keys: to the next unit, and over the edge of a map into the next one. */
  function walk(event, index) {
    if (!ARROWS[event.key]) return;
    event.preventDefault();
    const { shape } = network.steps[index], { maps, h, w, gap } = layOut(shape), isAnswer = index === stages.length;
    const columns = isAnswer ? 1 : layOut(shape).columns;
    if (unit?.index !== index) return inspect({ index, map: 0, row: 0, column: 0 });
    const x = (unit.map % columns) * w + unit.column + ARROWS[event.key][0];
    const y = Math.floor(unit.map / columns) * h + unit.row + ARROWS[event.key][1];
    const map = Math.floor(y / h) * columns + Math.floor(x / w);
    if (x >= 0 && x < columns * w && y >= 0 && map < maps) inspect({ index, map, row: y % h, column: x % w });
  }

  rebuild();
  draw();
  change();
  const watcher = new ResizeObserver(draw);
  watcher.observe(paper);
  return () => watcher.disconnect();
}

// ---- its two homes ----

/** On a page: the networks answer here. */
export function mount(el, described, example) {
  const networks = described.map(decode);
  return build(el, networks, example, (index, image, done) => done(forward(networks[index], image)));
}

/** In a notebook: the kernel answers, with the PyTorch models that it has. */
function render({ model, el }) {
  const networks = model.get("networks").map(decode), waiting = new Map(), view = Math.random();
  let number = 0;
  const receive = ({ id }, [buffer]) => {
    const done = waiting.get(id);
    if (!done) return; // another view of the same pad has asked
    waiting.delete(id);
    const numbers = new Float32Array(buffer.buffer.slice(buffer.byteOffset, buffer.byteOffset + buffer.byteLength));
    let start = 0;
    const stages = networks[+id.split(" ")[2]].steps.map(({ shape }) => {
      const end = start + shape.reduce((a, b) => a * b);
      const stage = { shape, values: numbers.slice(start, end) };
      start = end;
      return stage;
    });
    done({ stages, logits: Array.from(stages.at(-1).values) });
  };
  model.on("msg:custom", receive);
  const stop = build(el, networks, model.get("example"), (index, image, done) => {
    number += 1;
    const id = `${view} ${number} ${index}`;
    waiting.set(id, done);
    model.send({ id, network: index }, undefined, [image.buffer]);
  });
  return () => { model.off("msg:custom", receive); stop(); };
}

export default { render };
