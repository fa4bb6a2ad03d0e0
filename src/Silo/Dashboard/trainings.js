// Trainings: a row for the last one of each collection, and how the one that is looked at has learned.
import { niceCeiling, plot } from './curves.js';
import { count, rows } from './format.js';

const byId = id => document.getElementById(id);
const percent = value => `${(100 * value).toFixed(1)} %`;
let chosen = null; // collection that the reader wants to see

/** Shows the trainings that a silo knows of. */
export function showTrainings(trainings) {
  byId('no-trainings').hidden = trainings.length > 0;
  byId('trainings').hidden = trainings.length === 0;
  rows(byId('trainings'), trainings.map(t => [
    t.collection, t.number, t.state, t.method, t.codes_version || '–', t.silo, stepOf(t), recallOf(t), t.error == null ? '–' : t.error.toPrecision(4),
    `${t.seconds.toFixed(0)} s`, t.resumed, t.reason ?? '',
  ]));
  trainings.forEach((t, i) => {
    const row = byId('trainings').tBodies[0].rows[i];
    row.cells[2].className = t.state === 'failed' ? 'bad' : '';
    row.onclick = () => {
      chosen = t.collection;
      showCurves(trainings);
    };
  });
  showCurves(trainings);
}

function showCurves(trainings) {
  const learned = trainings.filter(t => t.points.length > 1);
  const shown = learned.find(t => t.collection === chosen) ?? learned.find(t => t.state === 'running') ?? learned[0];
  byId('learning').hidden = !shown;
  if (!shown) return;
  byId('learning-of').textContent = `training ${shown.number} of ${shown.collection}`;
  const losses = shown.points.filter(p => p.loss != null), recalls = shown.points.filter(p => p.recall != null);
  draw('curve-loss', losses, p => p.loss, 'loss', count, [0, niceCeiling(Math.max(0, ...losses.map(p => p.loss)))]);
  const found = recalls.map(p => p.recall);
  const low = Math.floor(100 * Math.min(...found) - 0.5) / 100, high = Math.ceil(100 * Math.max(...found) + 0.5) / 100;
  draw('curve-recall', recalls, p => p.recall, 'held-out recall@10', percent, found.length ? [Math.max(0, low), Math.min(1, high)] : [0, 1]);
}

function draw(id, points, of, name, write, range) {
  const words = [`step ${points[0]?.step ?? 0}`, `step ${points.at(-1)?.step ?? 0}`];
  plot(byId(id), { xs: points.map(p => p.step), lines: [points.map(of)], names: [name], write, range, words });
}

/** What it does, and how much of that is done. */
function stepOf(t) {
  const share = t.state === 'running' && t.phase_total > 0 ? ` ${Math.floor(100 * t.phase_done / t.phase_total)} %` : '';
  return t.phase ? `${t.step}: ${t.phase}${share}` : t.step;
}

const recallOf = t => (t.start_recall == null ? '–' : `${percent(t.start_recall)} → ${percent(t.best_recall)}`);
