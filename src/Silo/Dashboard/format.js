// How numbers are written, and how tables are filled. What comes from a server is only ever put in as text.

const SiUnits = ['', 'k', 'M', 'G', 'T'];
const ByteUnits = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];

function scaled(value, step, units) {
  let unit = 0;
  while (Math.abs(value) >= step && unit < units.length - 1) {
    value /= step;
    unit++;
  }
  const digits = unit === 0 && Number.isInteger(value) ? 0 : Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return `${value.toFixed(digits)}${units[unit] === '' ? '' : ' '}${units[unit]}`;
}

export const count = value => scaled(value, 1000, SiUnits);
export const bytes = value => scaled(value, 1024, ByteUnits);
export const ms = value => (value == null ? '–' : `${value < 10 ? value.toFixed(2) : value.toFixed(0)} ms`);

/** An element with a text. */
export function text(tag, content, className) {
  const element = document.createElement(tag);
  element.textContent = content;
  if (className) element.className = className;
  return element;
}

/** Makes the body of a table hold these rows of texts; cells are reused, so that a selection stays. */
export function rows(table, values) {
  const body = table.tBodies[0];
  while (body.rows.length > values.length) body.deleteRow(-1);
  values.forEach((cells, i) => {
    const row = body.rows[i] ?? body.insertRow();
    cells.forEach((cell, j) => {
      const place = row.cells[j] ?? row.insertCell();
      if (place.textContent !== String(cell)) place.textContent = cell;
    });
  });
}
