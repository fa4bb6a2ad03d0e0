// Asks the silo that served this page once a second or two what it knows of the cluster, and shows it. Nothing is stored but the API
// key, for as long as the tab lives.
import { ClusterMap } from './map.js';
import { Curve } from './curves.js';
import { startConsole } from './console.js';
import { showTrainings } from './trainings.js';
import { bytes, count, ms, rows, text } from './format.js';

const IntervalMs = 2000;
const HistoryPoints = 300; // ten minutes
const byId = id => document.getElementById(id);

const map = new ClusterMap(byId('map'), byId('tip'), byId('legend'));
const curves = {
  queries: new Curve(byId('curve-queries'), HistoryPoints, ['queries/s'], count),
  latency: new Curve(byId('curve-latency'), HistoryPoints, ['p50', 'p99'], ms),
  memory: new Curve(byId('curve-memory'), HistoryPoints, ['in use', 'limit'], bytes),
};

/** Asks a path of this silo; throws an Error whose message a person can use. */
async function ask(path, body) {
  const headers = { accept: 'application/json' };
  const key = sessionStorage.getItem('key');
  if (key) headers.authorization = `Bearer ${key}`;
  if (body) headers['content-type'] = 'application/json';
  const response = await fetch(path, { method: body ? 'POST' : 'GET', headers, body: body ? JSON.stringify(body) : undefined, cache: 'no-store' });
  if (response.status === 401 || response.status === 403) byId('key-form').hidden = false;
  if (!response.ok) {
    const problem = await response.json().catch(() => null);
    throw new Error(problem?.detail ? `${problem.detail} ${problem.mend ?? ''}` : `status ${response.status}`);
  }
  return response.json();
}

function showTiles(cluster, collections) {
  const silos = cluster.silos;
  const shards = cluster.collections.flatMap(c => c.shards);
  const unserved = shards.filter(s => !s.replicas.some(r => r.state === 'serving')).length;
  const queries = sum(silos, s => s.queries_per_second);
  const perVector = collections.filter(c => c.resident_bytes_per_vector > 0);
  const tiles = [
    ['queries a second', queries == null ? '–' : count(queries)],
    ['p99 of the slowest silo', ms(Math.max(...silos.map(s => s.latency_p99_ms ?? NaN).filter(isFinite), 0) || null)],
    ['silos', `${silos.filter(s => s.state === 'serving').length} of ${silos.length}`, silos.some(s => s.state !== 'serving')],
    ['vectors', count(sum(cluster.collections, c => c.vectors) ?? 0)],
    ['shards, and without a copy', `${count(shards.length)}, ${unserved}`, unserved > 0],
    ['memory of shards', bytes(sum(silos, s => s.resident_bytes) ?? 0)],
    ['bytes per vector here', perVector.length ? perVector.map(c => c.resident_bytes_per_vector.toFixed(0)).join(', ') : '–'],
  ];
  byId('tiles').replaceChildren(...tiles.map(([name, value, isBad]) => {
    const tile = document.createElement('div');
    tile.className = isBad ? 'tile bad' : 'tile';
    tile.append(text('b', value), text('span', name));
    return tile;
  }));
}

function showTables(cluster, collections) {
  const shown = cluster.silos.slice(0, 500);
  rows(byId('silos'), shown.map(s => [
    s.name, s.zone ?? '', s.state, s.shards, optional(s.queries_per_second, count), optional(s.latency_p50_ms, ms), optional(s.latency_p99_ms, ms),
    optional(s.busy_share, share => `${(100 * share).toFixed(0)} %`), s.waiting, `${bytes(s.resident_bytes)} of ${bytes(s.memory_bytes)}`,
  ]));
  const moves = cluster.moves ?? [];
  byId('moves').hidden = moves.length === 0;
  byId('no-moves').hidden = moves.length > 0;
  rows(byId('moves'), moves.slice(0, 200).map(m => [`${m.collection}/${m.shard}`, m.from ?? 'another copy', m.to, bytes(m.bytes), `${m.seconds.toFixed(0)} s`]));
  const known = new Map(collections.map(c => [c.name, c]));
  rows(byId('collections'), cluster.collections.map(c => {
    const about = known.get(c.name);
    return [
      c.name, count(c.vectors), count(c.shards.length), about?.dim ?? '', about?.metric ?? '', about?.quantizer ?? '', c.codes_version,
      about ? about.resident_bytes_per_vector.toFixed(1) : '', c.map_version,
    ];
  }));
}

function showCurves(cluster) {
  const finite = values => values.filter(v => v != null);
  curves.queries.add([sum(cluster.silos, s => s.queries_per_second)]);
  curves.latency.add(['latency_p50_ms', 'latency_p99_ms'].map(field => {
    const values = finite(cluster.silos.map(s => s[field]));
    return values.length ? Math.max(...values) : null;
  }));
  curves.memory.add([sum(cluster.silos, s => s.resident_bytes), sum(cluster.silos, s => s.memory_bytes)]);
}

const optional = (value, write) => (value == null ? '–' : write(value));

/** The sum of what is there; null where nothing is. */
function sum(items, of) {
  const values = items.map(of).filter(v => v != null);
  return values.length ? values.reduce((a, b) => a + b, 0) : null;
}

const askConsole = startConsole(ask);
let isAsking = false;

async function look() {
  if (isAsking || document.hidden) return;
  isAsking = true;
  try {
    const [cluster, { collections }] = await Promise.all([ask('/v1/cluster'), ask('/v1/collections')]);
    byId('trouble').hidden = true;
    byId('key-form').hidden = !sessionStorage.getItem('key');
    byId('cluster').textContent = cluster.cluster ?? '';
    byId('about').textContent = `${cluster.runtime}, version ${cluster.version}, seen by ${cluster.silo}${cluster.leader ? `, ${cluster.leader} leads` : ''}`;
    map.show(cluster);
    if (performance.getEntriesByName('map').length === 0) performance.mark('map');
    showTiles(cluster, collections);
    showTables(cluster, collections);
    showCurves(cluster);
    showTrainings(cluster.trainings ?? []);
    askConsole.know(collections);
    offer(byId('map-collection'), ['', ...cluster.collections.map(c => c.name)]);
    document.body.dataset.shown = String(1 + Number(document.body.dataset.shown ?? 0));
  } catch (error) {
    byId('trouble').textContent = `${error.message} – asked again every ${IntervalMs / 1000} s`;
    byId('trouble').hidden = false;
  } finally {
    isAsking = false;
  }
}

/** Makes a list offer these values, and keeps what was chosen. */
function offer(select, values) {
  if (select.options.length === values.length) return;
  const chosen = select.value;
  select.replaceChildren(...values.map(value => new Option(value || 'all', value)));
  select.value = values.includes(chosen) ? chosen : '';
}

byId('map-collection').addEventListener('change', e => map.only(e.target.value));
byId('map-colour').addEventListener('change', e => map.colourBy(e.target.value));
byId('key-form').addEventListener('submit', e => {
  e.preventDefault();
  sessionStorage.setItem('key', byId('key').value.trim());
  byId('key').value = '';
  look();
});
document.addEventListener('visibilitychange', look);
setInterval(look, IntervalMs);
look();
