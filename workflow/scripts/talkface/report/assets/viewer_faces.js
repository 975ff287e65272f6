"use strict";
// Faces on a canvas, painted or as lines. Comes before viewer.js, in one program with it.
// A pen is a 2D context whose unit is that of the landmarks: the distance of the outer eye corners, or the film's side.

/** Landmarks of all frames: face(k) gives 68 pairs, the last face held; null where they are not known. */
function unpack(text) {
  const raw = bytes(text), view = new DataView(raw.buffer), frames = raw.length / 272;
  return {
    frames,
    face(frame) {
      if (!frames) return null;
      const start = Math.min(frame, frames - 1) * 272, points = [];
      for (let place = start; place < start + 272; place += 4) {
        const x = view.getInt16(place, true), y = view.getInt16(place + 2, true);
        if (x === MISSING || y === MISSING) return null;
        points.push([x / QUANTUM, y / QUANTUM]);
      }
      return points;
    },
  };
}

/** A smooth curve through points (Catmull-Rom), closed or not; begins with a line where a path has begun. */
function curve(path, points, { closed = false, join = false } = {}) {
  const count = points.length, at = k => points[closed ? (k + count) % count : clamp(k, 0, count - 1)];
  path[join ? "lineTo" : "moveTo"](...points[0]);
  for (let k = 0; k < (closed ? count : count - 1); k++) {
    const [a, b, c, d] = [at(k - 1), at(k), at(k + 1), at(k + 2)];
    path.bezierCurveTo(
      b[0] + (c[0] - a[0]) / 6, b[1] + (c[1] - a[1]) / 6, c[0] - (d[0] - b[0]) / 6, c[1] - (d[1] - b[1]) / 6, c[0], c[1],
    );
  }
  if (closed) path.closePath();
}
const chosenOf = (face, indices) => indices.map(index => face[index]);
const pathOf = (points, options) => { const path = new Path2D(); curve(path, points, options); return path; };

/** A ring of lip points as a path that keeps its two corners sharp. */
function ring(face, indices) {
  const half = indices.length / 2, all = [...indices, indices[0]], path = new Path2D();
  curve(path, chosenOf(face, all.slice(0, half + 1)));
  curve(path, chosenOf(face, all.slice(half)), { join: true });
  path.closePath();
  return path;
}

const middle = (a, b, share = 0.5) => [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share];
const FOREHEAD = [[0.98, 0.1], [0.9, 0.4], [0.68, 0.64], [0.34, 0.76]]; // half widths of the face, units above the brows

/** A painted face in the template frame, whose unit is the distance of the outer eye corners. */
function paintFace(pen, face) {
  const half = [(face[16][0] - face[0][0]) / 2, (face[16][1] - face[0][1]) / 2];
  const brow = face.slice(17, 27).reduce((sum, point) => [sum[0] + point[0] / 10, sum[1] + point[1] / 10], [0, 0]);
  const top = ([wide, high]) => [brow[0] + wide * half[0], brow[1] + wide * half[1] - high];
  const skull = [...FOREHEAD.map(top), ...[...FOREHEAD].reverse().map(([wide, high]) => top([-wide, high]))];
  const chin = face[8][1];

  // neck and shoulders
  pen.fillStyle = "#4d6f8a";
  pen.fill(pathOf([[-1.5, 2.6], [-1.35, 1.98], [-0.95, 1.8], [-0.5, 1.68], [0, 1.72], [0.5, 1.68], [0.95, 1.8], [1.35, 1.98], [1.5, 2.6]]));
  pen.fillStyle = "#c08863";
  const neck = pathOf([[-0.47, 0.9], [-0.45, 1.3], [-0.5, 1.7], [-0.28, 1.86], [0, 1.9], [0.28, 1.86], [0.5, 1.7], [0.45, 1.3], [0.47, 0.9]], { closed: true });
  pen.fill(neck);
  const under = pen.createLinearGradient(0, chin - 0.1, 0, chin + 0.3);
  under.addColorStop(0, "#9c6846"); under.addColorStop(1, "#9c684600");
  pen.fillStyle = under;
  pen.fill(neck);

  // hair behind, ears, skin
  const crown = brow[1] - 0.95;
  pen.fillStyle = "#3b2a20";
  pen.fill(pathOf([[-0.76, 0.06], [-0.84, -0.16], [-0.86, -0.55], [-0.6, crown + 0.17], [0, crown], [0.6, crown + 0.17], [0.86, -0.55], [0.84, -0.16], [0.76, 0.06]], { closed: true }));
  for (const side of [-1, 1]) {
    const [x, y] = side < 0 ? face[0] : face[16];
    pen.fillStyle = "#d1976e";
    pen.beginPath(); pen.ellipse(x + side * 0.03, y + 0.17, 0.1, 0.22, side * -0.12, 0, 7); pen.fill();
    pen.fillStyle = "#b9805a";
    pen.beginPath(); pen.ellipse(x + side * 0.05, y + 0.16, 0.05, 0.14, side * -0.12, 0, 7); pen.fill();
  }
  const head = pathOf([...face.slice(0, 17), ...skull], { closed: true });
  const skin = pen.createRadialGradient(0, 0.25, 0.2, 0, 0.35, 1.35);
  skin.addColorStop(0, "#f0c4a0"); skin.addColorStop(0.55, "#e4b089"); skin.addColorStop(1, "#c98f68");
  pen.fillStyle = skin;
  pen.fill(head);
  pen.save();
  pen.clip(head);
  for (const side of [-1, 1]) { // cheeks
    const blush = pen.createRadialGradient(side * 0.45, 0.55, 0, side * 0.45, 0.55, 0.34);
    blush.addColorStop(0, "#d9806055"); blush.addColorStop(1, "#d9806000");
    pen.fillStyle = blush;
    pen.fillRect(side * 0.45 - 0.4, 0.15, 0.8, 0.8);
  }
  // hair over the forehead
  pen.fillStyle = "#3b2a20";
  pen.fill(pathOf([[-1.1, -0.06], [-0.755, -0.06], [-0.72, -0.42], [-0.5, -0.7], [-0.1, -0.74], [0.3, -0.8], [0.6, -0.64], [0.725, -0.4], [0.755, -0.06], [1.1, -0.06], [1.1, -1.8], [-1.1, -1.8]], { closed: true }));
  pen.restore();
  pen.strokeStyle = "#3b2a20"; pen.lineWidth = 0.05; // no seam between the hair before and behind
  pen.stroke(pathOf(skull.filter(([, y]) => y < -0.25)));

  // nose
  const tip = face[30], wings = [face[31], face[35]];
  const light = pen.createLinearGradient(-0.1, 0, 0.1, 0);
  light.addColorStop(0, "#fbdcc000"); light.addColorStop(0.5, "#fbdcc0b0"); light.addColorStop(1, "#fbdcc000");
  pen.fillStyle = light;
  pen.fill(pathOf([[face[27][0] - 0.05, face[27][1]], [tip[0] - 0.09, tip[1]], [tip[0], tip[1] + 0.08], [tip[0] + 0.09, tip[1]], [face[27][0] + 0.05, face[27][1]]], { closed: true }));
  pen.strokeStyle = "#a86f4a"; pen.lineCap = "round"; pen.lineJoin = "round";
  pen.lineWidth = 0.022;
  pen.stroke(pathOf([[wings[0][0] - 0.005, wings[0][1] - 0.1], [wings[0][0] - 0.03, wings[0][1] - 0.03], wings[0], face[32], face[33], face[34], wings[1], [wings[1][0] + 0.03, wings[1][1] - 0.03], [wings[1][0] + 0.005, wings[1][1] - 0.1]]));
  pen.fillStyle = "#7d4a30";
  for (const point of [middle(face[31], face[32], 0.75), middle(face[35], face[34], 0.75)]) {
    pen.beginPath(); pen.ellipse(point[0], point[1] - 0.012, 0.042, 0.02, 0, 0, 7); pen.fill();
  }

  // eyes
  for (const first of [36, 42]) {
    const eye = ring(face, [0, 1, 2, 3, 4, 5].map(k => first + k));
    const upper = chosenOf(face, [0, 1, 2, 3].map(k => first + k)), lower = chosenOf(face, [3, 4, 5, 0].map(k => first + k % 6));
    const x = (face[first][0] + face[first + 3][0]) / 2;
    const y = (face[first + 1][1] + face[first + 2][1] + face[first + 4][1] + face[first + 5][1]) / 4;
    pen.strokeStyle = "#b67e5899"; pen.lineWidth = 0.02;
    pen.stroke(pathOf(upper.map(([a, b], k) => [a, b - (k % 3 ? 0.06 : 0.02)])));
    pen.save();
    pen.fillStyle = "#fdfaf6"; pen.fill(eye); pen.clip(eye);
    pen.fillStyle = "#41617f"; pen.beginPath(); pen.arc(x, y - 0.008, 0.066, 0, 7); pen.fill();
    pen.fillStyle = "#6d93b3"; pen.beginPath(); pen.arc(x, y - 0.008, 0.05, 0, 7); pen.fill();
    pen.fillStyle = "#15181c"; pen.beginPath(); pen.arc(x, y - 0.008, 0.029, 0, 7); pen.fill();
    pen.fillStyle = "#0003"; pen.fillRect(x - 0.2, y - 0.13, 0.4, 0.09);
    pen.fillStyle = "#fff"; pen.beginPath(); pen.arc(x + 0.02, y - 0.03, 0.012, 0, 7); pen.fill();
    pen.restore();
    pen.strokeStyle = "#3a241a"; pen.lineWidth = 0.026; pen.stroke(pathOf(upper));
    pen.strokeStyle = "#8a5a40"; pen.lineWidth = 0.01; pen.stroke(pathOf(lower));
  }
  // brows: thick at the nose, thin at the temple
  pen.fillStyle = "#463023";
  for (const [indices, widths] of [[[17, 18, 19, 20, 21], [0.006, 0.024, 0.033, 0.034, 0.02]], [[22, 23, 24, 25, 26], [0.02, 0.034, 0.033, 0.024, 0.006]]]) {
    const points = chosenOf(face, indices), path = new Path2D();
    curve(path, points.map(([x, y], k) => [x, y - widths[k]]));
    curve(path, points.map(([x, y], k) => [x, y + widths[k]]).reverse(), { join: true });
    path.closePath(); pen.fill(path);
  }
  paintMouth(pen, face);
}

/** Dark inside, upper teeth that stay with the skull, tongue, lips. */
function paintMouth(pen, face) {
  const inner = ring(face, LIPS.inner), outer = ring(face, LIPS.outer);
  const edge = REST[62][1] + 0.075, width = (face[64][0] - face[60][0]) / 2, x = (face[64][0] + face[60][0]) / 2;
  const floor = Math.max(face[65][1], face[66][1], face[67][1]);
  pen.fillStyle = "#8f3a2e14";
  pen.fill(pathOf([[x - 0.17, floor + 0.17], [x, floor + 0.2], [x + 0.17, floor + 0.17], [x, floor + 0.235]], { closed: true }));
  pen.save();
  pen.fillStyle = "#3a0f12"; pen.fill(inner); pen.clip(inner);
  pen.fillStyle = "#b5545a"; pen.beginPath(); pen.ellipse(x, floor + 0.02, width * 0.68, 0.085, 0, 0, 7); pen.fill();
  pen.fillStyle = "#f6f1e9";
  pen.fill(pathOf([[x - width * 0.86, 0.6], [x - width * 0.8, edge - 0.035], [x - width * 0.4, edge - 0.003], [x, edge], [x + width * 0.4, edge - 0.003], [x + width * 0.8, edge - 0.035], [x + width * 0.86, 0.6]], { closed: true }));
  const shadow = pen.createLinearGradient(0, face[62][1], 0, face[62][1] + 0.06);
  shadow.addColorStop(0, "#3a0f1280"); shadow.addColorStop(1, "#3a0f1200");
  pen.fillStyle = shadow; pen.fillRect(x - 1, face[62][1] - 0.1, 2, 0.2);
  pen.restore();
  const both = new Path2D(outer); both.addPath(inner);
  const lips = pen.createLinearGradient(0, Math.min(face[50][1], face[52][1]), 0, face[57][1]);
  lips.addColorStop(0, "#a8483f"); lips.addColorStop(0.5, "#b9564c"); lips.addColorStop(1, "#c76a5e");
  pen.fillStyle = lips; pen.fill(both, "evenodd");
  pen.strokeStyle = "#dd968a90"; pen.lineWidth = 0.022; // light on the lower lip
  pen.stroke(pathOf([middle(face[67], face[58], 0.5), middle(face[66], face[57], 0.48), middle(face[65], face[56], 0.5)]));
  pen.strokeStyle = "#6b2420"; pen.lineWidth = 0.012; pen.stroke(inner);
}

/** A face as lines, the mouth filled. */
function lineFace(pen, face, { code, width, fill = true }) {
  pen.lineCap = pen.lineJoin = "round";
  if (fill) {
    const both = new Path2D(ring(face, LIPS.outer)); both.addPath(ring(face, LIPS.inner));
    pen.globalAlpha = 0.22; pen.fillStyle = code; pen.fill(both, "evenodd"); pen.globalAlpha = 1;
  }
  pen.strokeStyle = code; pen.lineWidth = width;
  for (const [indices, closed] of LINES) {
    const points = chosenOf(face, indices), lip = closed && LIPS.all.includes(indices[0]);
    pen.stroke(lip ? ring(face, indices) : pathOf(points, { closed }));
  }
}

/** The true lips over a prediction: on a painted face a dark line in a light one, which is seen on skin and on teeth. */
function outlineLips(pen, face) {
  for (const [code, width] of state.painted ? [["#ffffffa0", 0.028], ["#101010", 0.012]] : [[truthColour(), 0.014]]) {
    pen.strokeStyle = code; pen.lineWidth = width; pen.lineJoin = "round";
    pen.stroke(ring(face, LIPS.outer)); pen.stroke(ring(face, LIPS.inner));
  }
}
