'use strict';
// Sorting, searching, the icicle graph, the theme. The page says all it has to say without them.

const shown = n => n.toLocaleString('en-US');
const counted = (n, noun) => `${shown(n)} ${noun}${n === 1 ? '' : 's'}`;

function make(name, properties, ...children) {
  const element = Object.assign(document.createElement(name), properties);
  element.append(...children);
  return element;
}

function theme() {
  const root = document.documentElement;
  const button = document.getElementById('theme');
  const prefersDark = matchMedia('(prefers-color-scheme: dark)');
  const isDark = () => root.dataset.theme ? root.dataset.theme === 'dark' : prefersDark.matches;
  const label = () => { button.textContent = isDark() ? 'Light theme' : 'Dark theme'; };
  button.addEventListener('click', () => { root.dataset.theme = isDark() ? 'light' : 'dark'; label(); });
  prefersDark.addEventListener('change', label);
  button.hidden = false;
  label();
}

// A link into something that is folded opens it.
function unfoldTarget() {
  const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (!target) return;
  for (let e = target; e; e = e.parentElement) if (e.tagName === 'DETAILS') e.open = true;
  if (target.tagName === 'TR') {
    target.hidden = false;
    target.querySelector('details')?.setAttribute('open', '');
  }
  target.scrollIntoView({ block: 'nearest' });
}

function clusters(section) {
  const body = section.querySelector('tbody');
  if (!body) return;
  const rows = [...body.rows];
  const tools = section.querySelector('.tools');
  const search = tools.querySelector('input');
  const state = tools.querySelector('select');
  const output = tools.querySelector('output');
  const open = tools.querySelector('.open');
  const text = new Map();
  const textOf = row => text.get(row) ?? text.set(row, row.textContent.toLowerCase()).get(row);

  function filter() {
    const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0, threads = 0;
    for (const row of rows) {
      const fits = (!state.value || row.dataset.state === state.value) && words.every(w => textOf(row).includes(w));
      row.hidden = !fits;
      if (fits) { count += 1; threads += Number(row.dataset.n); }
    }
    output.textContent = `${shown(count)} of ${counted(rows.length, 'cluster')}, ${counted(threads, 'thread')}`;
  }

  function sort(header) {
    const key = header.dataset.key;
    const isNumber = key === 'n' || key === 'id';
    const first = key === 'n' ? 'descending' : 'ascending';
    const other = first === 'ascending' ? 'descending' : 'ascending';
    const order = header.getAttribute('aria-sort') === first ? other : first;
    const value = row => {
      if (isNumber) return Number(row.dataset[key]);
      if (key === 'state') return row.dataset.state;
      return row.cells[header.cellIndex].textContent;
    };
    const sign = order === 'ascending' ? 1 : -1;
    const values = new Map(rows.map(row => [row, value(row)]));
    const compare = isNumber ? (a, b) => a - b : (a, b) => (a === '') - (b === '') || (a < b ? -1 : a > b ? 1 : 0);
    rows.sort((a, b) => sign * compare(values.get(a), values.get(b)) || a.dataset.id - b.dataset.id);
    for (const th of header.parentElement.cells) th.removeAttribute('aria-sort');
    header.setAttribute('aria-sort', order);
    body.append(...rows);
  }

  for (const header of section.querySelectorAll('th')) {
    const button = make('button', { type: 'button', textContent: header.textContent });
    button.addEventListener('click', () => sort(header));
    header.replaceChildren(button);
  }
  section.querySelector('th[data-key=n]').setAttribute('aria-sort', 'descending');
  search.addEventListener('input', filter);
  state.addEventListener('change', filter);
  open.addEventListener('click', () => {
    const all = rows.filter(row => !row.hidden).map(row => row.querySelector('details')).filter(Boolean);
    const opens = all.some(d => !d.open);
    for (const d of all) d.open = opens;
    open.textContent = opens ? 'Close all' : 'Open all';
  });
  tools.hidden = false;
  filter();
}

// The tree of a section's data: {name, count, state, cluster, parent, children, depth}.
function unfold(data) {
  const total = data.boxes.filter(b => b[0] === 0).reduce((sum, b) => sum + b[2], 0);
  const root = { name: 'all threads', count: total, children: [], parent: null };
  const open = [root];
  for (const [depth, name, count, state, cluster] of data.boxes) {
    const parent = open[depth];
    const node = { count, parent, children: [] };
    if (cluster) Object.assign(node, { cluster, state: data.states[state], name: `${data.states[state]} · c${cluster}` });
    else node.name = data.names[name];
    parent.children.push(node);
    open[depth + 1] = node;
  }
  (function finish(node, depth) {
    node.depth = depth;
    const states = new Map();
    const add = (s, n) => states.set(s, (states.get(s) ?? 0) + n);
    if (node.cluster) add(node.state, node.count);
    for (const child of node.children) {
      finish(child, depth + 1);
      for (const [s, n] of child.states) add(s, n);
    }
    node.states = states;
    // The colour of a call is that of most of its threads.
    node.state ??= [...states].sort((a, b) => b[1] - a[1])[0]?.[0] ?? 'unknown';
  })(root, 0);
  return root;
}

const ROW = 21;
const THIN = 3;

function icicle(section, number) {
  const source = section.querySelector('script');
  if (!source) return;
  const data = JSON.parse(source.textContent);
  const root = unfold(data);
  const canvas = section.querySelector('.canvas');
  const out = make('button', { type: 'button', textContent: 'Zoom out' });
  const about = make('output', {});
  const tree = make('div', { className: 'tree' });
  const hint = 'The oldest call is on top; width is the number of threads, colour what most of them do. Click or press Enter to zoom, Escape to zoom out, arrows to move.';
  const help = make('p', { className: 'dim', textContent: hint, id: `s${number}-icicle-help` });
  if (data.left_out) help.textContent += ` Not drawn: ${counted(data.left_out, 'thread')} of small clusters.`;
  tree.setAttribute('role', 'tree');
  tree.setAttribute('aria-label', 'Stacks of all threads');
  tree.setAttribute('aria-describedby', help.id);
  about.setAttribute('aria-live', 'off');
  canvas.append(help, make('div', { className: 'path' }, out, about), tree);
  let zoomed = root;
  let current = root;
  const cells = new Map();

  function said(node) {
    const share = (node.count / root.count * 100).toFixed(node.count === root.count ? 0 : 1);
    const states = [...node.states].sort((a, b) => b[1] - a[1]).map(([s, n]) => `${shown(n)} ${s}`).join(', ');
    return `${node.name}: ${counted(node.count, 'thread')} (${share} %)${node.cluster ? '' : ` · ${states}`}`;
  }

  function cell(node, left, width, row) {
    const element = make('div', { className: `cell ${node.state}${node.cluster ? ' end' : ''}`, tabIndex: -1 });
    element.setAttribute('role', 'treeitem');
    element.setAttribute('aria-level', node.depth + 1);
    element.setAttribute('aria-label', said(node));
    element.setAttribute('aria-selected', String(node === zoomed));
    element.title = said(node);
    if (width > 24) element.textContent = node.name;
    else element.classList.add('thin');
    element.style.left = `${left}px`;
    element.style.width = `${Math.max(width, 1)}px`;
    element.style.top = `${row * ROW}px`;
    element.addEventListener('click', () => { current = node; zoom(node); });
    element.addEventListener('focus', () => { current = node; about.textContent = said(node); });
    element.addEventListener('mouseenter', () => { about.textContent = said(node); });
    cells.set(node, element);
    return element;
  }

  function draw(focus) {
    cells.clear();
    const all = [];
    const width = tree.clientWidth;
    let rows = 0;
    let narrow = 0;
    const path = [];
    for (let node = zoomed; node; node = node.parent) path.unshift(node);
    path.forEach((node, row) => all.push(cell(node, 0, width, row)));
    rows = path.length - 1;
    (function below(node, left, width, row) {
      let x = left;
      for (const child of node.children) {
        const part = child.count / node.count * width;
        if (part >= THIN) {
          all.push(cell(child, x, part, row));
          rows = Math.max(rows, row);
          below(child, x, part, row + 1);
        } else narrow += 1;
        x += part;
      }
    })(zoomed, 0, width, path.length);
    tree.replaceChildren(...all);
    tree.style.height = `${(rows + 1) * ROW}px`;
    out.disabled = zoomed === root;
    if (!cells.has(current)) current = zoomed;
    cells.get(current).tabIndex = 0;
    about.textContent = said(current) + (narrow ? ` · ${counted(narrow, 'call')} too narrow to draw: zoom in` : '');
    if (focus) cells.get(current).focus();
  }

  function zoom(node) {
    zoomed = node;
    current = node;
    draw(true);
  }

  function sibling(node, step) {
    const drawn = node.parent?.children.filter(child => cells.has(child)) ?? [];
    return drawn[drawn.indexOf(node) + step];
  }

  const moves = {
    ArrowDown: node => node.children.find(child => cells.has(child)),
    ArrowUp: node => node.parent,
    ArrowLeft: node => sibling(node, -1),
    ArrowRight: node => sibling(node, 1),
    Home: () => root,
  };
  tree.addEventListener('keydown', event => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (event.key === 'Enter' || event.key === ' ') zoom(current);
    else if (event.key === 'Escape' || event.key === 'Backspace') { if (zoomed.parent) zoom(zoomed.parent); }
    else if (moves[event.key]) {
      const next = moves[event.key](current);
      if (next && cells.has(next)) {
        cells.get(current).tabIndex = -1;
        current = next;
        cells.get(next).tabIndex = 0;
        cells.get(next).focus();
      }
    } else return;
    event.preventDefault();
  });
  out.addEventListener('click', () => { if (zoomed.parent) { zoomed = zoomed.parent; current = zoomed; draw(false); } });

  canvas.hidden = false;
  let known = 0;
  new ResizeObserver(() => {
    if (tree.clientWidth && tree.clientWidth !== known) { known = tree.clientWidth; draw(false); }
  }).observe(tree);
}

// What is folded is not printed.
function printing() {
  let opened = [];
  addEventListener('beforeprint', () => {
    opened = [...document.querySelectorAll('details.finding:not([open]), details.words:not([open])')];
    for (const d of opened) d.open = true;
  });
  addEventListener('afterprint', () => { for (const d of opened) d.open = false; });
}

theme();
document.querySelectorAll('.clusters').forEach(clusters);
document.querySelectorAll('.icicle').forEach((section, n) => icicle(section, n + 1));
printing();
addEventListener('hashchange', unfoldTarget);
unfoldTarget();
