// Searches by hand, and what they did in every silo.

import { count, ms, rows, text } from './format.js';

const byId = id => document.getElementById(id);

/** Starts the console; ask sends requests. */
export function startConsole(ask) {
  let known = [];
  const chosen = () => known.find(c => c.name === byId('ask-collection').value);

  byId('ask-random').addEventListener('click', () => {
    const collection = chosen();
    if (collection) byId('ask-vector').value = randomVector(collection).join(', ');
  });
  byId('ask').addEventListener('submit', async e => {
    e.preventDefault();
    const line = byId('answer-line');
    try {
      line.textContent = 'asking…';
      const answer = await ask(`/v1/collections/${encodeURIComponent(byId('ask-collection').value)}/search`, question());
      line.textContent = `${answer.hits.length} hits in ${ms(answer.took_ms)} from ${answer.coverage.shards_answered} of ${answer.coverage.shards} shards: `
        + `${count(answer.stats.hops)} hops, ${count(answer.stats.distance_computations)} distances, ${count(answer.stats.reranked)} re-ranked`;
      byId('hits').hidden = false;
      rows(byId('hits'), answer.hits.map(hit => [hit.id, hit.distance]));
      showCalls(answer.explain);
    } catch (error) {
      line.textContent = error.message;
      byId('hits').hidden = true;
      byId('calls').replaceChildren();
    }
  });

  return {
    /** The collections that may be asked. */
    know(collections) {
      const select = byId('ask-collection'), before = select.value;
      if (known.map(c => c.name).join() !== collections.map(c => c.name).join()) {
        select.replaceChildren(...collections.map(c => new Option(`${c.name} (${c.dim} × ${c.element_type})`, c.name)));
        if (collections.some(c => c.name === before)) select.value = before;
      }
      known = collections;
    },
  };
}

function question() {
  const vector = byId('ask-vector').value.split(/[\s,;[\]]+/).filter(Boolean).map(Number);
  if (vector.length === 0 || vector.some(Number.isNaN)) throw new Error('The vector is to be numbers between commas or blanks.');
  return { vector, k: Number(byId('ask-k').value), l: Number(byId('ask-l').value), mode: byId('ask-mode').value, explain: true };
}

/** Numbers that the type of the collection can hold. */
function randomVector({ dim, element_type: type }) {
  const range = { uint8: [0, 255], int8: [-128, 127] }[type];
  return Array.from({ length: dim }, () => range
    ? range[0] + Math.floor(Math.random() * (range[1] - range[0] + 1))
    : Number((Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random())).toFixed(3)));
}

/** One bar for each call, on the time of the whole search. */
function showCalls(explain) {
  const all = Math.max(explain?.took_ms ?? 0, 1e-6);
  byId('calls').replaceChildren(...(explain?.calls ?? []).map(call => {
    const row = document.createElement('div'), track = document.createElement('div'), span = document.createElement('div');
    row.className = 'call';
    track.className = 'track';
    span.className = `span ${call.outcome}`;
    span.style.left = `${(100 * call.started_ms) / all}%`;
    span.style.width = `${Math.min(100, (100 * call.took_ms) / all)}%`;
    span.title = (call.work ?? []).map(w => `shard ${w.shard}: ${ms(w.took_ms)}, ${w.hops} hops, ${w.distance_computations} distances`).join('\n');
    track.append(span);
    row.append(
      text('span', `${call.silo}${call.kind === 'first' ? '' : ` (${call.kind})`}`), track,
      text('small', `${call.outcome} in ${ms(call.took_ms)}: shards ${call.shards.join(', ')}; ${count(call.hops)} hops, `
        + `${count(call.distance_computations)} distances${call.failure ? `; ${call.failure}` : ''}`));
    return row;
  }));
}
