// The cluster as a picture: a box for each silo, in it a cell for each copy of a shard.

import { bytes, count, ms } from './format.js';

const Gap = 8, Padding = 7, Title = 17, Bar = 4;
const States = [['serving', 'serves'], ['opening', 'is being opened'], ['unavailable', 'cannot serve']];

export class ClusterMap {
  constructor(canvas, tip, legend) {
    Object.assign(this, { canvas, tip, legend, cluster: null, collection: '', mode: 'state', boxes: [] });
    new ResizeObserver(() => this.draw()).observe(canvas.parentElement);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.draw());
    canvas.addEventListener('pointermove', e => this.point(e));
    canvas.addEventListener('pointerleave', () => { tip.hidden = true; });
  }

  show(cluster) {
    this.cluster = cluster;
    this.draw();
  }

  only(collection) {
    this.collection = collection;
    this.draw();
  }

  colourBy(mode) {
    this.mode = mode;
    this.draw();
  }

  /** The copies of every silo, in the order of the shards. */
  copies() {
    const of = new Map(this.cluster.silos.map(silo => [silo.name, []]));
    const moving = new Set((this.cluster.moves ?? []).map(m => `${m.collection}/${m.shard} ${m.to}`));
    for (const collection of this.cluster.collections) {
      if (this.collection && collection.name !== this.collection) continue;
      for (const shard of [...collection.shards, ...(collection.coming ?? [])]) {
        for (const replica of shard.replicas) {
          if (!of.has(replica.silo)) of.set(replica.silo, []); // one that is gone
          of.get(replica.silo).push({ collection, shard, replica, isMoving: moving.has(`${collection.name}/${shard.shard} ${replica.silo}`) });
        }
      }
    }
    return of;
  }

  draw() {
    if (!this.cluster) return;
    const copies = this.copies();
    const width = this.canvas.parentElement.clientWidth;
    this.layOut(copies, width);
    const height = Math.max(...this.boxes.map(b => b.y + b.height), 0) + Gap;
    const ratio = devicePixelRatio || 1;
    this.canvas.width = width * ratio;
    this.canvas.height = height * ratio;
    this.canvas.style.height = `${height}px`;
    const pen = this.canvas.getContext('2d');
    pen.scale(ratio, ratio);
    const style = getComputedStyle(document.documentElement);
    const colour = name => style.getPropertyValue(`--${name}`).trim();
    const palette = Object.fromEntries(['serving', 'opening', 'unavailable', 'move', 'line', 'text', 'faint', 'calm', 'busy', 'back'].map(n => [n, colour(n)]));
    this.boxes.forEach(box => this.drawBox(pen, box, palette));
    this.drawLegend(copies);
  }

  layOut(copies, width) {
    const most = Math.max(1, ...[...copies.values()].map(list => list.length));
    const columns = Math.max(1, Math.min(copies.size, Math.floor((width - Gap) / (copies.size > 24 ? 140 : 230))));
    const boxWidth = Math.floor((width - Gap) / columns) - Gap;
    const inner = boxWidth - 2 * Padding;
    const cell = Math.max(3, Math.min(16, Math.floor(Math.sqrt(inner * (copies.size > 24 ? 70 : 140) / most))));
    const perRow = Math.max(1, Math.floor(inner / cell));
    const boxHeight = Title + Bar + 3 * Padding + Math.ceil(most / perRow) * cell;
    const silos = new Map(this.cluster.silos.map(silo => [silo.name, silo]));
    this.boxes = [...copies].map(([name, list], i) => ({
      name, list, cell, perRow, silo: silos.get(name),
      x: Gap + (i % columns) * (boxWidth + Gap), y: Gap + Math.floor(i / columns) * (boxHeight + Gap), width: boxWidth, height: boxHeight,
    }));
  }

  drawBox(pen, box, palette) {
    const { silo } = box;
    pen.fillStyle = palette.back;
    pen.fillRect(box.x, box.y, box.width, box.height);
    pen.strokeStyle = !silo || silo.state !== 'serving' ? palette.opening : palette.line;
    pen.strokeRect(box.x + 0.5, box.y + 0.5, box.width - 1, box.height - 1);
    pen.fillStyle = palette.text;
    pen.font = '600 11px system-ui, sans-serif';
    const words = silo ? (silo.state === 'serving' ? '' : silo.state) : 'gone';
    pen.fillText(fit(pen, box.name + (box.name === this.cluster.leader ? ' ★' : ''), box.width - 2 * Padding - (words ? 55 : 0)), box.x + Padding, box.y + Title - 3);
    pen.fillStyle = palette.opening;
    if (words) pen.fillText(words, box.x + box.width - Padding - pen.measureText(words).width, box.y + Title - 3);
    const used = silo && silo.memory_bytes > 0 ? Math.min(1, silo.resident_bytes / silo.memory_bytes) : 0;
    pen.fillStyle = palette.line;
    pen.fillRect(box.x + Padding, box.y + Title + 3, box.width - 2 * Padding, Bar);
    pen.fillStyle = used > 0.9 ? palette.unavailable : palette.faint;
    pen.fillRect(box.x + Padding, box.y + Title + 3, (box.width - 2 * Padding) * used, Bar);
    const load = mix(palette.calm, palette.busy, silo?.busy_share ?? 0);
    const inset = box.cell > 5 ? 1 : 0.5;
    box.list.forEach((copy, i) => {
      const x = box.x + Padding + (i % box.perRow) * box.cell, y = this.cellTop(box) + Math.floor(i / box.perRow) * box.cell;
      pen.fillStyle = this.mode === 'load' && copy.replica.state === 'serving' ? load : palette[copy.replica.state] ?? palette.faint;
      pen.fillRect(x, y, box.cell - inset, box.cell - inset);
      if (copy.isMoving) {
        pen.strokeStyle = palette.move;
        pen.strokeRect(x + 0.5, y + 0.5, box.cell - inset - 1, box.cell - inset - 1);
      }
    });
  }

  cellTop(box) {
    return box.y + Title + Bar + 2 * Padding;
  }

  drawLegend(copies) {
    const all = [...copies.values()].flat();
    const entries = States.map(([state, words]) => [`var(--${state})`, `${words}: ${count(all.filter(c => c.replica.state === state).length)}`]);
    const moving = all.filter(c => c.isMoving).length;
    if (moving) entries.push(['var(--move)', `on its way: ${count(moving)}`]);
    if (this.mode === 'load') entries.splice(0, 1, ['var(--calm)', 'silo at rest'], ['var(--busy)', 'all threads busy']);
    this.legend.replaceChildren(...entries.map(([colour, words]) => {
      const entry = document.createElement('span'), mark = document.createElement('i');
      mark.style.background = colour;
      entry.append(mark, words);
      return entry;
    }));
  }

  /** Tells of what is under the pointer. */
  point(e) {
    const place = this.canvas.getBoundingClientRect();
    const x = e.clientX - place.left, y = e.clientY - place.top;
    const box = this.boxes.find(b => x >= b.x && x < b.x + b.width && y >= b.y && y < b.y + b.height);
    this.tip.hidden = !box;
    if (!box) return;
    const column = Math.floor((x - box.x - Padding) / box.cell), row = Math.floor((y - this.cellTop(box)) / box.cell);
    const copy = row >= 0 && column >= 0 && column < box.perRow ? box.list[row * box.perRow + column] : undefined;
    this.tip.textContent = copy ? tellCopy(copy) : tellSilo(box);
    this.tip.style.left = `${Math.min(e.pageX + 14, document.documentElement.clientWidth - this.tip.offsetWidth - 8)}px`;
    this.tip.style.top = `${e.pageY + 14}px`;
  }
}

function tellCopy({ collection, shard, replica, isMoving }) {
  const others = shard.replicas.filter(r => r !== replica).map(r => `${r.silo} ${r.state}`);
  return [
    `${collection.name}/${shard.shard} in ${replica.silo}: ${replica.state}${isMoving ? ', on its way' : ''}`,
    replica.reason,
    `slots ${shard.slot_from} to ${shard.slot_to}, ${count(shard.vectors)} vectors${collection.shards.includes(shard) ? '' : '; not asked yet: it will replace others'}`,
    others.length ? `other copies: ${others.join(', ')}` : 'no other copy',
  ].filter(Boolean).join('\n');
}

function tellSilo({ name, silo, list }) {
  if (!silo) return `${name}: gone; the map still gives it ${list.length} copies`;
  return [
    `${name}${silo.zone ? ` in ${silo.zone}` : ''}: ${silo.state}, ${silo.url}`,
    `${list.length} copies, ${bytes(silo.resident_bytes)} of ${bytes(silo.memory_bytes)}`,
    silo.queries_per_second == null ? null : `${count(silo.queries_per_second)} queries/s, p99 ${ms(silo.latency_p99_ms)}, ${silo.waiting} waiting`,
  ].filter(Boolean).join('\n');
}

/** As much of a text as fits. */
function fit(pen, words, width) {
  if (pen.measureText(words).width <= width) return words;
  while (words.length > 1 && pen.measureText(`${words}…`).width > width) words = words.slice(0, -1);
  return `${words}…`;
}

/** A colour between two that are written #rrggbb. */
function mix(from, to, share) {
  const part = (colour, i) => parseInt(colour.slice(1 + 2 * i, 3 + 2 * i), 16);
  return `rgb(${[0, 1, 2].map(i => Math.round(part(from, i) + (part(to, i) - part(from, i)) * share)).join(',')})`;
}
