// Lines over time on a canvas: what was seen since the page was opened.

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
    const { canvas } = this;
    const ratio = devicePixelRatio || 1, width = canvas.clientWidth, height = canvas.clientHeight;
    if (!width || !height) return;
    canvas.width = width * ratio;
    canvas.height = height * ratio;
    const pen = canvas.getContext('2d');
    pen.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const colour = name => style.getPropertyValue(name).trim();
    const most = niceCeiling(Math.max(0, ...this.lines.flat().filter(v => v != null)));
    const first = this.times[0] ?? 0, last = this.times.at(-1) ?? 1;
    const x = time => Left + (width - Left - Right) * (last === first ? 1 : (time - first) / (last - first));
    const y = value => height - Bottom - (height - Top - Bottom) * (value / most);
    pen.font = '11px system-ui, sans-serif';
    pen.strokeStyle = colour('--line');
    pen.fillStyle = colour('--faint');
    for (const part of [0, 0.5, 1]) {
      pen.beginPath();
      pen.moveTo(Left, Math.round(y(part * most)) + 0.5);
      pen.lineTo(width - Right, Math.round(y(part * most)) + 0.5);
      pen.stroke();
      pen.fillText(this.write(part * most), width - Right + 6, y(part * most) + 4);
    }
    if (this.times.length > 1) pen.fillText(`${Math.round((last - first) / 1000)} s ago`, Left, height - 4);
    pen.fillText('now', width - Right - 20, height - 4);
    this.lines.forEach((line, i) => this.drawLine(pen, line, x, y, colour(Colours[i])));
    const latest = this.lines.map((line, i) => `${this.names[i]} ${line.at(-1) == null ? 'not told' : this.write(line.at(-1))}`);
    canvas.setAttribute('aria-label', latest.join(', '));
    canvas.setAttribute('role', 'img');
    canvas.title = latest.join('\n');
  }

  drawLine(pen, line, x, y, colour) {
    pen.strokeStyle = colour;
    pen.lineWidth = 1.6;
    pen.beginPath();
    let isOn = false;
    line.forEach((value, i) => {
      if (value == null) {
        isOn = false;
        return;
      }
      pen[isOn ? 'lineTo' : 'moveTo'](x(this.times[i]), y(value));
      isOn = true;
    });
    pen.stroke();
    pen.lineWidth = 1;
    if (line.length === 1 && line[0] != null) {
      pen.fillStyle = colour;
      pen.fillRect(x(this.times[0]) - 1.5, y(line[0]) - 1.5, 3, 3);
    }
  }
}

/** The next of 1, 2, 5, 10, ... */
function niceCeiling(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return power * [1, 2, 5, 10].find(step => step * power >= value);
}
