// The film is the clock: whatever it shows, all panels show. Frame i is the instant i / fps.
const INDEX = JSON.parse(document.getElementById("index").textContent);
const { fps: FPS, quantum: QUANTUM, missing: MISSING, lines: LINES, lips: LIPS, rest: REST, models: MODELS } = INDEX;
const SPEEDS = [1, 0.5, 0.25, 0.1];
const EPSILON = 0.01; // of a frame: rounding of a time must not show the frame before
const $ = id => document.getElementById(id);
const DARK = matchMedia("(prefers-color-scheme: dark)");
const NARROW = matchMedia("(max-width: 820px)");

const state = {
  clip: -1, frame: 0, chosen: new Set(MODELS.slice(0, 4).map((_, index) => index)), painted: true, trueLips: false,
  onFilm: false, loop: false, from: null, to: null, order: "mean",
};
let data = null; // of the clip that is shown
let video = null, panels = [], wanted = null, address = null;

const make = (tag, attributes = {}, ...children) => {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
};
const bytes = text => Uint8Array.from(atob(text), letter => letter.charCodeAt(0));
const cssColour = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);
const said = (value, digits) => value === null || value === undefined || Number.isNaN(value) ? "–" : value.toFixed(digits);
const frameOf = time => clamp(Math.floor(time * FPS + EPSILON), 0, last());
const last = () => (data ? data.frames - 1 : 0);
const shown = () => MODELS.map((_, index) => index).filter(index => state.chosen.has(index));

// On a dark ground the colours of the models are lightened, so that they keep their contrast.
const lighten = (code, share) => "#" + [1, 3, 5].map(place => {
  const value = parseInt(code.slice(place, place + 2), 16);
  return Math.round(value + (255 - value) * share).toString(16).padStart(2, "0");
}).join("");
const colour = index => DARK.matches ? lighten(MODELS[index].colour, 0.32) : MODELS[index].colour;
const truthColour = () => DARK.matches ? "#e6e6e3" : INDEX.truth;
// Beyond the palette colours come again: then lines are dashed and marks are square.
const again = index => MODELS.findIndex(model => model.colour === MODELS[index].colour) < index;

// ---- panels ---------------------------------------------------------------------------------------------------------

/** What is to be seen: the film, its landmarks, the truth, the chosen models. */
function listPanels() {
  const clip = INDEX.clips[state.clip];
  return [
    { key: "source", name: "video", kind: "film" },
    { key: "landmarks", name: "landmarks", kind: "landmarks" },
    { key: "truth", name: "truth", kind: "face", faces: data.truth, look: truthColour() },
    ...shown().map(index => ({
      key: `model-${index}`, name: MODELS[index].name, kind: "face", faces: data.predictions[index], look: colour(index),
      model: index, told: `${said(clip.errors[index], 2)} %`,
    })),
  ];
}

function buildPanels() {
  const area = $("panels");
  if (!video) {
    video = make("video", { playsinline: "", preload: "auto", "aria-label": "Video of the speaker" });
    listen();
  }
  const kept = panels.find(panel => panel.kind === "film"); // a film that is moved in the page stops
  panels = listPanels().map(panel => (panel.kind === "film" && kept) || buildPanel(panel));
  while (area.children.length > (kept ? 1 : 0)) area.lastChild.remove();
  area.append(...panels.filter(panel => panel !== kept).map(panel => panel.figure));
  layOut();
}

function buildPanel(panel) {
  const caption = make("figcaption", {}, make("b", { title: panel.name }, panel.name));
  const view = make("div", { class: "view" });
  const canvas = make("canvas", { role: "img", "aria-label": panel.kind === "film" ? "points on the video" : panel.name });
  if (panel.kind === "film") view.append(video);
  view.append(canvas);
  caption.append(make("span", panel.told ? { title: "lip error of the clip" } : {}, panel.told || ""));
  const figure = make("figure", { class: panel.look ? "panel" : "panel plain", id: `panel-${panel.key}`, "data-frame": "" }, caption, view);
  if (panel.look) figure.style.setProperty("--look", panel.look);
  figure.classList.toggle("again", panel.model !== undefined && again(panel.model));
  view.addEventListener("click", toggle);
  return { ...panel, figure, canvas, note: caption.lastChild };
}

/** The number of columns that makes the panels largest in the room there is, as in a video call. */
function layOut() {
  const area = $("panels"), wide = area.clientWidth, count = panels.length; // its padding centres the panels
  if (!count || !wide) return;
  const gap = parseFloat(getComputedStyle(area).columnGap) || 0, caption = 25;
  let side = 0, best = 0, across = count; // pixels of a panel, panels in a row
  if (NARROW.matches) {
    side = Math.floor((wide - gap) / 2);
    if (wide > 560) side = Math.floor((wide - 2 * gap) / 3);
  } else {
    const top = area.getBoundingClientRect().top + scrollY;
    const high = Math.max(innerHeight - top - 320, 260); // transport and curves stand below
    for (let columns = 1; columns <= count; columns++) {
      const rows = Math.ceil(count / columns);
      const fits = Math.min((wide - (columns - 1) * gap) / columns, (high - (rows - 1) * gap) / rows - caption);
      const worth = fits * (1 - 0.12 * (rows - 1)); // a further row must be worth its while
      if (worth > best) [best, side, across] = [worth, Math.floor(fits), Math.ceil(count / rows)];
    }
    side = clamp(side, 150, Math.min(420, wide));
    const rows = Math.ceil(count / Math.min(across, Math.floor((wide + gap) / (side + gap))));
    across = Math.ceil(count / rows); // rows of the same length, also where panels were made larger than the room
  }
  area.style.setProperty("--room", NARROW.matches ? "" : `${across * (side + gap) - gap + 1}px`);
  area.style.setProperty("--side", `${side}px`);
  const scale = Math.min(devicePixelRatio || 1, 2.5);
  for (const panel of panels) {
    const size = Math.round(side * scale);
    if (panel.canvas.width !== size) panel.canvas.width = panel.canvas.height = size;
  }
  draw();
}

function drawPanel(panel, frame) {
  const pen = panel.canvas.getContext("2d"), size = panel.canvas.width;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, size, size);
  if (panel.kind === "face") {
    const face = panel.faces.face(frame), [unit, height] = state.painted ? [0.325, 0.415] : [0.44, 0.27];
    if (state.painted) {
      const ground = pen.createLinearGradient(0, 0, 0, size), tones = DARK.matches ? ["#46525c", "#2c343a"] : ["#f0f3f5", "#d8e0e5"];
      ground.addColorStop(0, tones[0]); ground.addColorStop(1, tones[1]);
      pen.fillStyle = ground; pen.fillRect(0, 0, size, size);
    }
    if (!face) return;
    pen.setTransform(unit * size, 0, 0, unit * size, size / 2, height * size);
    if (state.painted) paintFace(pen, face);
    else lineFace(pen, face, { code: panel.look, width: 0.022 });
    const truth = data.truth.face(frame);
    if (state.trueLips && panel.model !== undefined && truth) outlineLips(pen, truth);
    return;
  }
  if (panel.kind === "film" && !state.onFilm) return;
  const face = data.landmarks.face(frame), guessed = data.interpolated.has(frame);
  if (panel.kind === "landmarks") panel.note.textContent = guessed ? "interpolated" : face ? "" : "no face";
  if (!face) return;
  pen.setTransform(size, 0, 0, size, 0, 0);
  const code = panel.kind === "film" ? (guessed ? "#ffb27a" : "#ffffff") : guessed ? cssColour("--mark") : cssColour("--truth");
  if (panel.kind === "film") lineFace(pen, face, { code: "#000000a0", width: 0.013, fill: false });
  lineFace(pen, face, { code, width: panel.kind === "film" ? 0.0055 : 0.0065, fill: panel.kind !== "film" });
  pen.fillStyle = code;
  if (panel.kind === "landmarks") for (const [x, y] of face) { pen.beginPath(); pen.arc(x, y, 0.0075, 0, 7); pen.fill(); }
}

/** Draw all that depends on the frame. */
function draw() {
  if (!data) return;
  const frame = state.frame;
  for (const panel of panels) {
    drawPanel(panel, frame);
    if (panel.kind !== "film") panel.figure.dataset.frame = frame;
  }
  $("seek").value = frame;
  $("seek").setAttribute("aria-valuetext", `frame ${frame}, ${(frame / FPS).toFixed(2)} seconds`);
  $("clock").replaceChildren(
    "frame ", make("b", {}, String(frame).padStart(String(last()).length, "\u2007")), make("span", {}, ` of ${last()}`), "\u2002",
    make("b", {}, (frame / FPS).toFixed(2)), make("span", {}, ` of ${data.seconds.toFixed(2)} s`),
  );
  drawGraph();
  fillNow();
}

function show(frame) {
  state.frame = clamp(frame, 0, last());
  draw();
}

// ---- numbers --------------------------------------------------------------------------------------------------------

/** Lip error of a frame, percent of the outer-eye distance; null beyond the shorter of prediction and truth. */
function errorAt(faces, frame) {
  if (frame >= Math.min(faces.frames, data.truth.frames)) return null;
  const a = faces.face(frame), b = data.truth.face(frame);
  if (!a || !b) return null;
  const sum = LIPS.all.reduce((total, k) => total + (a[k][0] - b[k][0]) ** 2 + (a[k][1] - b[k][1]) ** 2, 0);
  return 100 * Math.sqrt(sum / LIPS.all.length);
}

function buildNumbers() {
  const clip = INDEX.clips[state.clip], body = $("numbers").tBodies[0];
  const best = Math.min(...shown().map(index => clip.errors[index] ?? Infinity));
  const row = (name, look, cells, mark = {}) => {
    const head = make("th", { scope: "row", ...mark }, name);
    head.style.setProperty("--look", look);
    return make("tr", {}, head, ...cells.map(cell => cell instanceof Node ? cell : make("td", {}, cell)));
  };
  body.replaceChildren(
    row("truth", truthColour(), ["", "", "", ""]),
    ...shown().map(index => row(MODELS[index].name, colour(index), [
      make("td", clip.errors[index] === best && shown().length > 1 ? { class: "best" } : {}, said(clip.errors[index], 2)),
      said(clip.correlations[index], 2), "", "",
    ], again(index) ? { class: "again" } : {})),
  );
}

function fillNow() {
  const rows = $("numbers").tBodies[0].rows, frame = state.frame;
  if (!rows.length) return;
  const opening = list => said(list[Math.min(frame, list.length - 1)], 1);
  rows[0].cells[4].textContent = opening(data.openings[0]);
  shown().forEach((index, place) => {
    const row = rows[place + 1];
    if (!row) return;
    row.cells[3].textContent = said(errorAt(data.predictions[index], frame), 2);
    row.cells[4].textContent = opening(data.openings[index + 1]);
  });
}

// ---- curves ---------------------------------------------------------------------------------------------------------

const EDGE = { left: 34, right: 12, top: 12, wave: 46, axis: 20 };
let still = null; // the picture of the curves without what moves

const placeOf = frame => EDGE.left + (frame / Math.max(last(), 1)) * ($("graph").clientWidth - EDGE.left - EDGE.right);
const frameAt = x => clamp(
  Math.round(((x - EDGE.left) / ($("graph").clientWidth - EDGE.left - EDGE.right)) * last()), 0, last(),
);

function drawStill() {
  const graph = $("graph"), wide = graph.clientWidth, high = graph.clientHeight;
  const scale = Math.min(devicePixelRatio || 1, 2.5);
  graph.width = Math.round(wide * scale); graph.height = Math.round(high * scale);
  still = make("canvas"); still.width = graph.width; still.height = graph.height;
  const pen = still.getContext("2d");
  pen.scale(scale, scale);
  const chosen = [0, ...shown().map(index => index + 1)];
  const highest = Math.max(2, ...chosen.flatMap(index => data.openings[index]));
  const step = [1, 2, 5, 10, 20, 50].find(each => highest / each <= 4) || 100;
  const top = EDGE.top, bottom = high - EDGE.axis - EDGE.wave - 8, y = value => bottom - (bottom - top) * value / highest;
  pen.font = "12px system-ui, sans-serif"; pen.fillStyle = cssColour("--soft"); pen.strokeStyle = cssColour("--line");
  pen.textAlign = "right"; pen.textBaseline = "middle"; pen.lineWidth = 1;
  for (let value = 0; value <= highest; value += step) {
    pen.beginPath(); pen.moveTo(EDGE.left, y(value)); pen.lineTo(wide - EDGE.right, y(value)); pen.stroke();
    pen.fillText(String(value), EDGE.left - 6, y(value));
  }
  // the waveform, and seconds below it
  const centre = high - EDGE.axis - EDGE.wave / 2, wave = data.waveform;
  pen.fillStyle = cssColour("--wave");
  const points = Math.max(1, Math.round(wide - EDGE.left - EDGE.right));
  for (let place = 0; place < points; place++) {
    const begin = placeToSound(place / points), end = Math.max(begin + 1, placeToSound((place + 1) / points));
    let size = 0;
    for (let k = begin; k < end && k < wave.length; k++) size = Math.max(size, wave[k]);
    const half = Math.max(0.5, (size / 255) * EDGE.wave / 2);
    pen.fillRect(EDGE.left + place, centre - half, 1, 2 * half);
  }
  pen.fillStyle = cssColour("--soft"); pen.textAlign = "center"; pen.textBaseline = "alphabetic";
  const seconds = last() / FPS, tick = [0.5, 1, 2, 5, 10, 20, 60].find(each => seconds / each <= (wide < 500 ? 5 : 9)) || 120;
  for (let time = 0; time <= seconds + 1e-9; time += tick) {
    const x = placeOf(time * FPS), label = `${+time.toFixed(1)} s`;
    if (x < wide - 14) pen.fillText(label, x, high - 6);
  }
  pen.lineJoin = "round"; pen.lineWidth = 2;
  for (const index of chosen) {
    pen.strokeStyle = index ? colour(index - 1) : truthColour();
    pen.lineWidth = index ? 2 : 2.5;
    pen.setLineDash(index && again(index - 1) ? [7, 5] : []);
    pen.beginPath();
    data.openings[index].slice(0, data.frames).forEach((value, frame, all) => {
      if (value !== null) pen[(all[frame - 1] ?? null) === null ? "moveTo" : "lineTo"](placeOf(frame), y(value));
    });
    pen.stroke();
  }
  still.y = y; still.scale = scale; still.bottom = high - EDGE.axis; still.top = top;
}
const placeToSound = share => Math.floor(share * (last() / FPS) * INDEX.loudness_hz);

function drawGraph() {
  if (!still) return;
  const graph = $("graph"), pen = graph.getContext("2d"), { scale, top, bottom } = still;
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.clearRect(0, 0, graph.width, graph.height);
  pen.scale(scale, scale);
  const stretch = bounds();
  if (state.from !== null || state.to !== null) {
    pen.fillStyle = cssColour("--stretch");
    pen.fillRect(placeOf(stretch[0]), top - 6, Math.max(2, placeOf(stretch[1]) - placeOf(stretch[0])), bottom - top + 6);
  }
  pen.setTransform(1, 0, 0, 1, 0, 0);
  pen.drawImage(still, 0, 0);
  pen.scale(scale, scale);
  const x = placeOf(state.frame);
  pen.strokeStyle = cssColour("--mark"); pen.lineWidth = 1.5;
  pen.beginPath(); pen.moveTo(x, top - 6); pen.lineTo(x, bottom); pen.stroke();
  for (const index of [...shown().map(each => each + 1), 0]) {
    const list = data.openings[index];
    if ((list[state.frame] ?? null) === null) continue;
    pen.fillStyle = index ? colour(index - 1) : truthColour();
    pen.strokeStyle = cssColour("--paper"); pen.lineWidth = 1.5;
    pen.beginPath(); pen.arc(x, still.y(list[state.frame]), 4.5, 0, 7); pen.fill(); pen.stroke();
  }
}

// ---- time -----------------------------------------------------------------------------------------------------------

/** First and last frame of what is looped: the stretch, or the clip. */
const bounds = () => [state.from ?? 0, Math.max(state.to ?? last(), state.from ?? 0)];
const instant = frame => (frame + 0.5) / FPS; // well inside the frame

/** Jump to a frame: the drawings at once, the film as soon as it can. */
function seek(frame) {
  if (!data) return;
  show(frame);
  wanted = state.frame;
  if (!video.seeking && video.readyState) { video.currentTime = Math.min(instant(wanted), video.duration || Infinity); wanted = null; }
}

function listen() {
  const told = frame => { if (panels.length) panels[0].figure.dataset.frame = frame; };
  const presented = (now, { mediaTime }) => {
    const frame = frameOf(mediaTime);
    told(frame);
    if (!video.paused && !video.seeking && wanted === null) {
      if (state.loop && frame > bounds()[1]) seek(bounds()[0]);
      else show(frame);
    }
    video.requestVideoFrameCallback(presented);
  };
  const counts = "requestVideoFrameCallback" in HTMLVideoElement.prototype;
  if (counts) video.requestVideoFrameCallback(presented);
  const settled = () => {
    if (wanted !== null) return seek(wanted);
    told(frameOf(video.currentTime));
  };
  video.addEventListener("loadeddata", () => { if (wanted !== null) seek(wanted); });
  video.addEventListener("seeked", settled);
  video.addEventListener("play", () => { document.body.classList.add("playing"); $("play").setAttribute("aria-label", "Pause"); requestAnimationFrame(tick); });
  video.addEventListener("pause", () => {
    document.body.classList.remove("playing"); $("play").setAttribute("aria-label", "Play");
    if (video.ended) { if (!state.loop) { show(last()); told(last()); } }
    else if (!video.seeking && wanted === null) seek(frameOf(video.currentTime));
  });
  video.addEventListener("ended", () => { if (state.loop) { seek(bounds()[0]); play(); } });
  video.addEventListener("error", () => {
    if (!address) return;
    $("panels").before($("failed") || make("p", { id: "failed" }, "This browser cannot play the film of this clip (H.264 and AAC); the drawings can be scrubbed all the same."));
  });
  const tick = () => {
    if (video.paused) return;
    const [first, end] = bounds(), time = video.currentTime;
    if (state.loop && !video.seeking && (time > (end + 1) / FPS - 0.012 || time < first / FPS - 0.05)) seek(first);
    else if (!counts && !video.seeking) { show(frameOf(time)); told(state.frame); }
    requestAnimationFrame(tick);
  };
}

function play() {
  if (!data) return;
  const [first, end] = bounds();
  if (state.loop ? state.frame >= end || state.frame < first : state.frame >= last()) seek(state.loop ? first : 0);
  video.play().catch(() => {}); // refused before the first click: the button stays as it is
}
const toggle = () => (video.paused ? play() : video.pause());

function setSpeed(value) {
  $("speed").value = value;
  video.defaultPlaybackRate = video.playbackRate = value;
}

function setStretch(from, to) {
  if (from !== null && to !== null && to < from) [from, to] = [to, from];
  Object.assign(state, { from, to });
  const [first, end] = bounds(), share = frame => `${(100 * frame / Math.max(last(), 1)).toFixed(2)}%`;
  $("seek").style.setProperty("--track", from === null && to === null ? "" :
    `linear-gradient(90deg, var(--line) ${share(first)}, var(--mark) ${share(first)}, var(--mark) ${share(end)}, var(--line) ${share(end)})`);
  if (from === null && to === null) $("seek").style.removeProperty("--track");
  drawGraph();
}

function setLoop(on) {
  state.loop = on;
  $("loop").setAttribute("aria-pressed", on);
  const [first, end] = bounds();
  if (on && (state.frame < first || state.frame > end)) seek(first);
}

/** Mark where a stretch begins or ends; a stretch that is whole is looped. */
function mark(edge) {
  if (edge === "from") setStretch(state.frame, state.to !== null && state.to > state.frame ? state.to : null);
  else setStretch(state.from !== null && state.from < state.frame ? state.from : null, state.frame);
  if (state.from !== null && state.to !== null) setLoop(true);
}

// ---- clips ----------------------------------------------------------------------------------------------------------

function listClips() {
  const text = $("search").value.trim().toLowerCase(), order = state.order;
  const value = clip => order === "mean" ? clip.error : clip.errors[Number(order)];
  const found = INDEX.clips.map((clip, place) => ({ clip, place }))
    .filter(({ clip }) => `${clip.clip} ${clip.speaker} ${clip.split}`.toLowerCase().includes(text));
  if (order === "name") found.sort((a, b) => a.clip.clip.localeCompare(b.clip.clip, undefined, { numeric: true }));
  else found.sort((a, b) => (value(b.clip) ?? -1) - (value(a.clip) ?? -1));
  const read = clip => order === "name" ? clip.error : value(clip);
  const most = Math.max(...INDEX.clips.map(clip => read(clip) ?? 0), 1e-9);
  $("list").replaceChildren(...found.map(({ clip, place }) => {
    const bar = make("i"); bar.style.width = `${Math.round(64 * (read(clip) ?? 0) / most)}px`;
    const button = make("button", { type: "button", "data-clip": place, title: clip.clip },
      make("b", {}, clip.clip), make("data", { title: "lip error, %" }, `${said(read(clip), 2)} %`),
      make("small", {}, `${clip.speaker} · ${clip.split}`, bar));
    button.addEventListener("click", () => { choose(place); fold(false); });
    return make("li", {}, button);
  }));
  $("nothing").hidden = found.length > 0;
  markClip();
}
const listed = () => [...$("list").querySelectorAll("button")].map(button => Number(button.dataset.clip));

function markClip() {
  for (const button of $("list").querySelectorAll("button")) {
    const now = Number(button.dataset.clip) === state.clip;
    if (now) button.setAttribute("aria-current", "true"); else button.removeAttribute("aria-current");
    if (now && !NARROW.matches) button.scrollIntoView({ block: "nearest" });
  }
}

function fold(open) {
  $("clips").classList.toggle("open", open);
  $("clips-button").setAttribute("aria-expanded", open);
}

function neighbour(step) {
  const order = listed(), place = order.indexOf(state.clip);
  if (order.length) choose(order[clamp(place < 0 ? 0 : place + step, 0, order.length - 1)]);
}

function choose(place) {
  if (place === state.clip) return;
  const playing = video !== null && !video.paused, clip = INDEX.clips[place];
  const content = JSON.parse($(`clip-${place}`).textContent);
  state.clip = place;
  data = {
    frames: clip.frames, seconds: content.seconds, truth: unpack(content.truth), landmarks: unpack(content.landmarks),
    predictions: content.predictions.map(unpack), openings: content.openings, waveform: bytes(content.waveform),
    interpolated: new Set(content.interpolated),
  };
  state.frame = 0;
  $("seek").max = last();
  rebuild();
  $("failed")?.remove();
  const speed = Number($("speed").value);
  if (address) URL.revokeObjectURL(address);
  address = URL.createObjectURL(new Blob([bytes(content.film)], { type: "video/mp4" }));
  wanted = 0;
  video.src = address;
  setSpeed(speed);
  setStretch(null, null);
  const now = $("clips-now");
  now.replaceChildren(make("b", {}, clip.clip), make("span", {}, `  ${clip.speaker} · ${clip.split} · ${said(clip.error, 2)} %`));
  document.title = `${clip.clip}, ${document.title.split(", ").pop()}`;
  try { history.replaceState(null, "", `#${encodeURIComponent(clip.clip)}`); } catch { /* some browsers refuse it for files */ }
  markClip();
  if (playing) video.play().catch(() => {});
}

/** All that depends on which models are chosen and how they are drawn. */
function rebuild() {
  if (!data) return;
  buildPanels(); buildNumbers(); drawStill(); draw();
}

function toggleModel(index) {
  if (!MODELS[index]) return;
  if (!state.chosen.delete(index)) state.chosen.add(index);
  $("models").children[index].setAttribute("aria-pressed", state.chosen.has(index));
  rebuild();
}

function setPainted(on) {
  state.painted = on;
  $("painted").setAttribute("aria-pressed", on); $("lined").setAttribute("aria-pressed", !on);
  draw();
}

function setMuted(on) {
  video.muted = on;
  $("mute").setAttribute("aria-pressed", on);
}

/** The frame in which the chosen models are furthest from the truth. */
function toWorst() {
  const total = frame => shown().reduce((sum, index) => sum + (errorAt(data.predictions[index], frame) ?? 0), 0);
  let worst = 0;
  for (let frame = 1; frame <= last(); frame++) if (total(frame) > total(worst)) worst = frame;
  video.pause();
  seek(worst);
}

// ---- hands ----------------------------------------------------------------------------------------------------------

const check = (id, key) => { $(id).checked = state[key] = !state[key]; draw(); };
const step = by => { video.pause(); seek(state.frame + by); };
const KEYS = {
  " ": toggle, k: toggle, ArrowLeft: () => step(-1), ArrowRight: () => step(1), Home: () => step(-last()), End: () => step(last()),
  "shift+ArrowLeft": () => neighbour(-1), "shift+ArrowRight": () => neighbour(1),
  l: () => setLoop(!state.loop), i: () => mark("from"), o: () => mark("to"), Escape: () => setStretch(null, null),
  s: () => setSpeed(SPEEDS[(SPEEDS.indexOf(Number($("speed").value)) + 1) % SPEEDS.length]),
  m: () => setMuted(!video.muted), w: toWorst, f: () => setPainted(!state.painted),
  t: () => check("true-lips", "trueLips"), p: () => check("on-film", "onFilm"), "?": () => $("help").showModal(),
};

function pressed(event) {
  const at = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || $("help").open || !data) return;
  if (at.matches("input[type=search], select")) return;
  // The help that has just been closed may hold the focus for a moment.
  if (at.matches("button, input[type=checkbox]") && !at.closest("dialog") && (event.key === " " || event.key === "Enter")) return;
  const key = event.key.length === 1 ? event.key.toLowerCase() : event.key;
  const action = /^[1-9]$/.test(key) ? () => toggleModel(Number(key) - 1) : KEYS[(event.shiftKey && key.startsWith("Arrow") ? "shift+" : "") + key];
  if (!action) return;
  event.preventDefault();
  action();
}

function begin() {
  const chips = MODELS.map((model, index) => {
    const chip = make("button", { type: "button", "aria-pressed": state.chosen.has(index) }, model.name);
    chip.classList.toggle("again", again(index));
    if (index < 9) chip.append(make("kbd", { "aria-hidden": "true" }, String(index + 1)));
    chip.addEventListener("click", () => toggleModel(index));
    return chip;
  });
  $("models").append(...chips);
  const paint = () => chips.forEach((chip, index) => chip.style.setProperty("--look", colour(index)));
  paint();
  DARK.addEventListener("change", () => { paint(); rebuild(); });
  $("order").append(
    make("option", { value: "mean" }, "lip error, mean"),
    ...MODELS.map((model, index) => make("option", { value: index }, `lip error, ${model.name}`)),
    make("option", { value: "name" }, "name"),
  );
  $("order").addEventListener("change", () => { state.order = $("order").value; listClips(); });
  $("search").addEventListener("input", listClips);
  $("clips-button").addEventListener("click", () => fold(!$("clips").classList.contains("open")));
  listClips();
  if (!INDEX.clips.length) return;

  $("play").addEventListener("click", toggle);
  $("back").addEventListener("click", () => step(-1));
  $("on").addEventListener("click", () => step(1));
  $("seek").addEventListener("input", () => seek(Number($("seek").value)));
  $("speed").addEventListener("change", () => setSpeed(Number($("speed").value)));
  $("from").addEventListener("click", () => mark("from"));
  $("to").addEventListener("click", () => mark("to"));
  $("loop").addEventListener("click", () => setLoop(!state.loop));
  $("mute").addEventListener("click", () => setMuted(!video.muted));
  $("painted").addEventListener("click", () => setPainted(true));
  $("lined").addEventListener("click", () => setPainted(false));
  $("true-lips").addEventListener("change", () => { state.trueLips = $("true-lips").checked; draw(); });
  $("on-film").addEventListener("change", () => { state.onFilm = $("on-film").checked; draw(); });
  $("help-button").addEventListener("click", () => $("help").showModal());
  addEventListener("keydown", pressed);
  // After a choice by mouse the keys are the page's again; who came by Tab keeps the focus.
  for (const menu of document.querySelectorAll("select")) {
    let pointed = false;
    menu.addEventListener("pointerdown", () => { pointed = true; });
    menu.addEventListener("blur", () => { pointed = false; });
    menu.addEventListener("change", () => { if (pointed) menu.blur(); });
  }
  document.body.addEventListener("click", event => { if (event.detail) event.target.closest("button, input[type=checkbox]")?.blur(); });

  let grip = null; // where a drag over the curves began
  const graph = $("graph"), x = event => event.clientX - graph.getBoundingClientRect().left;
  graph.addEventListener("pointerdown", event => { grip = { x: x(event), frame: frameAt(x(event)), far: false }; graph.setPointerCapture(event.pointerId); });
  graph.addEventListener("pointermove", event => {
    if (!grip) return;
    grip.far ||= Math.abs(x(event) - grip.x) > 8;
    if (grip.far) { setStretch(grip.frame, frameAt(x(event))); seek(frameAt(x(event))); }
  });
  graph.addEventListener("pointerup", event => {
    if (!grip) return;
    if (grip.far) { setLoop(true); seek(bounds()[0]); } else seek(frameAt(x(event)));
    grip = null;
  });
  graph.addEventListener("pointercancel", () => { grip = null; });

  let wide = 0;
  new ResizeObserver(() => {
    if ($("stage").clientWidth === wide) return;
    wide = $("stage").clientWidth;
    drawStill(); layOut();
  }).observe($("stage"));
  addEventListener("resize", layOut);
  const named = () => INDEX.clips.findIndex(clip => `#${encodeURIComponent(clip.clip)}` === location.hash);
  addEventListener("hashchange", () => { if (named() >= 0) choose(named()); });
  choose(Math.max(0, named()));
}
begin();
