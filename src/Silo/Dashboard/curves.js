// Lines on a canvas: over time, what was seen since the page was opened; or over any other axis.

const Colours = ['--serving', '--opening'];
const Left = 8, Right = 64, Top = 8, Bottom = 18; // room for the words

export class Curve {
  /** names: of the lines; write: how a value is written. */
  constructor(canvas, points, names, write) {
    Object.assign(this, { canvas, points, names, write, times: [], lines: names.map(() => []) });
    new ResizeObserver(() => this.draw()).observe(canvas);
  }

  /** One more value of every line; null where there is none. */
  add(values) {
    this.times.push(Date.now());
    this.lines.forEach((line, i) => line.push(values[i]));
    if (this.times.length > this.points) [this.times, ...this.lines].forEach(list => list.shift());
    this.draw();
  }

  draw() {
    const first = this.times[0] ?? 0, last = this.times.at(-1) ?? 1;
    const most = niceCeiling(Math.max(0, ...this.lines.flat().filter(v => v != null)));
    const words = [this.times.length > 1 ? `${Math.round((last - first) / 1000)} s ago` : '', 'now'];
    plot(this.canvas, { xs: this.times, lines: this.lines, names: this.names, write: this.write, range: [0, most], words });
  }
}

/** Lines over one axis; xs: rising; range: lowest and highest value drawn; words: below the left and the right end. Null values leave a gap. */
export function plot(canvas, { xs, lines, names, write, range: [low, high], words }) {
  const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
  if (!width || !height) return;
  canvas.width = width * ratio;
  canvas.height = height * ratio;
  const pen = canvas.getContext('2d');
  pen.scale(ratio, ratio);
  const style = getComputedStyle(document.documentElement);
  const colour = name => style.getPropertyValue(name).trim();
  const first = xs[0] ?? 0, last = xs.at(-1) ?? 1;
  const x = value => Left + (width - Left - Right) * (last === first ? 1 : (value - first) / (last - first));
  const y = value => height - Bottom - (height - Top - Bottom) * ((value - low) / (high - low));
  pen.font = '11px system-ui, sans-serif';
  pen.strokeStyle = colour('--line');
  pen.fillStyle = colour('--faint');
  for (const part of [0, 0.5, 1]) {
    const value = low + part * (high - low);
    pen.beginPath();
    pen.moveTo(Left, Math.round(y(value)) + 0.5);
    pen.lineTo(width - Right, Math.round(y(value)) + 0.5);
    pen.stroke();
    pen.fillText(write(value), width - Right + 6, y(value) + 4);
  }
  pen.fillText(words[0], Left, height - 4);
  pen.fillText(words[1], width - Right - pen.measureText(words[1]).width, height - 4);
  lines.forEach((line, i) => drawLine(pen, xs, line, x, y, colour(Colours[i])));
  const latest = lines.map((line, i) => `${names[i]} ${line.at(-1) == null ? 'not told' : write(line.at(-1))}`);
  canvas.setAttribute('aria-label', latest.join(', '));
  canvas.setAttribute('role', 'img');
  canvas.title = latest.join('\n');
}

function drawLine(pen, xs, line, x, y, colour) {
  pen.strokeStyle = colour;
  pen.lineWidth = 1.6;
  pen.beginPath();
  let isOn = false;
  line.forEach((value, i) => {
    if (value == null) {
      isOn = false;
      return;
    }
    pen[isOn ? 'lineTo' : 'moveTo'](x(xs[i]), y(value));
    isOn = true;
  });
  pen.stroke();
  pen.lineWidth = 1;
  if (line.length === 1 && line[0] != null) {
    pen.fillStyle = colour;
    pen.fillRect(x(xs[0]) - 1.5, y(line[0]) - 1.5, 3, 3);
  }
}

/** The next of 1, 2, 5, 10, ... */
export function niceCeiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find(step => step * power >= value);
}
