// The page in a real browser: it loads without an error and asks for nothing, can be sorted, searched, zoomed
// and unfolded with mouse and keyboard, keeps to WCAG 2 A and AA by axe, and is whole without JavaScript.
// Screenshots for the eye go to target/foreign/shots/.
//
// needs-apt: chromium
// needs-npm: playwright-core@1.65.1
// needs-npm: axe-core@4.14.1

import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const project = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const tools = join(project, 'target/foreign');
const logjam = resolve(process.env.LOGJAM ?? join(project, 'target/debug/logjam'));
const require = createRequire(join(tools, 'package.json'));
const { chromium } = require('playwright-core');
const axe = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const shots = join(tools, 'shots');
const work = mkdtempSync(join(tmpdir(), 'logjam-html-'));
mkdirSync(shots, { recursive: true });

const core = name => join(project, `fixtures/cores/${name}.core.zst`);

/** The page of some inputs. Exit code 3 is for inputs that could not be analyzed. */
function page(name, inputs, ...options) {
  const run = spawnSync(logjam, ['--format', 'html', ...options, ...inputs], { maxBuffer: 1 << 28 });
  assert.ok([0, 3].includes(run.status), `${name}: ${run.stderr}`);
  const path = join(work, `${name}.html`);
  writeFileSync(path, run.stdout);
  return pathToFileURL(path).href;
}

/** gdb's text of threads whose names and functions are markup, escape sequences and more. */
function hostileDump() {
  const evil = [
    '</script><script>document.title="owned"</script>',
    '<img src=x onerror=alert(1)>',
    '"><svg/onload=alert(1)>',
    "' onclick='alert(1)",
    '&lt;b&gt;&#x3c;',
    '\u202egnp.exe\u2066\u200b\u001b[31mred\u0007',
    '<!--<script>',
    ']]>{{7*7}}${7*7}`',
    `${'long_name_'.repeat(3000)}`,
    'שלום_עולם',
  ];
  const lines = [];
  for (let n = 0; n < 40; n++) {
    const name = evil[n % evil.length];
    const id = 40 - n;
    lines.push(`Thread ${id} (Thread 0x7f00000${100 + n} (LWP ${5000 + n}) "${name.slice(0, 60).replaceAll('"', '')}"):`);
    lines.push(`#0  0x00007f0000001000 in __lll_lock_wait () from /lib/x86_64-linux-gnu/libc.so.6`);
    lines.push(`#1  0x00007f0000002000 in ___pthread_mutex_lock (mutex=0x55550000${1000 + (n % 3)}) at ./nptl/pthread_mutex_lock.c:93`);
    lines.push(`#2  0x0000555500003000 in ${name} (arg=0x0) at ${evil[(n + 1) % 9].slice(0, 40)}.c:${n + 1}`);
    lines.push(`#3  0x0000555500004000 in main () at main.c:1`, '');
  }
  const path = join(work, 'hostile.txt');
  writeFileSync(path, lines.join('\n'));
  return path;
}

const unreadable = ['broken.core', '<b>.txt'].map(name => join(work, name));
for (const path of unreadable) writeFileSync(path, '\x7fELF, but no core');

const pages = {
  jam: page('jam', [core('logging-mutex-5000')]),
  deadlock: page('deadlock', [core('two-mutexes-opposite-order')]),
  ring: page('ring', [core('three-ring')]),
  chain: page('chain', [core('chained-holders')]),
  spin: page('spin', [core('logging-spin-5000')]),
  crash: page('crash', [core('crash-null')]),
  healthy: page('healthy', [core('healthy-pool')]),
  gallery: page('gallery', [core('gallery')]),
  hostile: page('hostile', [hostileDump()]),
  several: page('several', [core('self-deadlock'), core('mutex-64'), ...unreadable]),
};

const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
});
const counts = { pages: 0, axe: 0, shots: 0 };

/** Opens a page; any error, dialog or request but for the page itself fails it when it is closed. */
async function open(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1600, height: 1000 }, ...options });
  const view = await context.newPage();
  const wrong = [];
  view.on('console', message => wrong.push(`console: ${message.text()}`));
  view.on('pageerror', error => wrong.push(`error: ${error}`));
  view.on('dialog', dialog => { wrong.push('a dialog'); dialog.dismiss(); });
  view.on('request', request => { if (request.url() !== pages[name]) wrong.push(`request: ${request.url().slice(0, 100)}`); });
  await view.goto(pages[name]);
  counts.pages += 1;
  const close = async () => {
    await context.close();
    assert.deepEqual(wrong, [], name);
  };
  return { view, close };
}

/** Checks what can be seen. axe comes in by the debugger, which no policy of the page stops. */
async function accessible(view, what) {
  await view.evaluate(axe);
  const { violations, passes } = await view.evaluate(() => globalThis.axe.run(document, { runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa'] }));
  const found = violations.map(v => `${v.id}: ${v.nodes.length} × ${v.nodes[0].html.slice(0, 160)} ${v.nodes[0].failureSummary}`);
  assert.deepEqual(found, [], what);
  assert.ok(passes.length > 10, what);
  counts.axe += 1;
}

const text = (view, selector) => view.locator(selector).first().innerText();

// The answer, and what the mission's fixture must say.
{
  const { view, close } = await open('jam');
  assert.match(await text(view, 'h1'), /wait for .*g_log_mutex/);
  assert.match(await text(view, '.verdict'), /critical/i);
  const policy = await view.getAttribute('meta[http-equiv]', 'content');
  assert.match(policy, /^default-src 'none'; .*style-src 'sha256-.*'; script-src 'sha256-.*'$/);

  // Sorting: by number, by state, back to the order of the page.
  const firstCell = n => view.locator('#s1-clusters tbody tr:not([hidden])').first().locator('td').nth(n).innerText();
  const largest = await firstCell(4);
  await view.getByRole('button', { name: 'Threads' }).click();
  assert.equal(await view.getAttribute('th[data-key=n]', 'aria-sort'), 'ascending');
  assert.notEqual(await firstCell(4), largest);
  await view.getByRole('button', { name: 'State' }).focus();
  await view.keyboard.press('Enter');
  assert.equal(await view.getAttribute('th[data-key=state]', 'aria-sort'), 'ascending');
  const states = await view.locator('#s1-clusters td .state').allInnerTexts();
  assert.deepEqual(states, [...states].sort());
  await view.getByRole('button', { name: 'Id' }).click();
  assert.equal(await firstCell(4), largest);

  // Searching and filtering.
  const rows = view.locator('#s1-clusters tbody tr:not([hidden])');
  const all = await rows.count();
  assert.ok(all > 1);
  await view.getByRole('searchbox', { name: 'Search' }).fill('pthread_mutex_lock log_message');
  const found = await rows.count();
  assert.ok(found > 0 && found < all, `${found} of ${all}`);
  assert.match(await text(view, '.tools output'), new RegExp(`^${found} of ${all} clusters, [\\d,]+ threads?$`));
  await view.getByRole('searchbox', { name: 'Search' }).fill('');
  await view.getByLabel('State').selectOption('lock-wait');
  assert.deepEqual([...new Set(await rows.locator('.state').allInnerTexts())], ['lock-wait']);
  await view.getByLabel('State').selectOption('');
  assert.equal(await rows.count(), all);

  // Unfolding a stack by mouse and by keyboard: roles and trust are there.
  const first = rows.first().locator('details');
  await first.locator('summary').first().click();
  assert.ok(await first.locator('.stack').isVisible());
  assert.match(await first.locator('.stack').innerText(), /pthread_mutex_lock[\s\S]*lock[\s\S]*cfi/);
  await first.locator('summary').first().focus();
  await view.keyboard.press('Space');
  assert.ok(!await first.locator('.stack').isVisible());
  await view.getByRole('button', { name: 'Open all' }).click();
  assert.equal(await view.locator('#s1-clusters .stack:visible').count(), all);
  await accessible(view, 'jam with all stacks open');
  await view.getByRole('button', { name: 'Close all' }).click();

  // The guide.
  const guide = view.locator('#guide-lock-contention');
  await guide.locator('summary').click();
  assert.match(await guide.innerText(), /False alarms/);

  // The icicle graph: zoom by mouse and keyboard, and out again.
  const cells = view.locator('.icicle [role=treeitem]');
  const selected = () => view.locator('.icicle [aria-selected=true]').getAttribute('aria-label');
  assert.match(await selected(), /^all threads: 5,0\d\d threads \(100 %\)/);
  const before = await cells.count();
  await view.locator('.icicle [role=treeitem][aria-level="2"]').last().click();
  assert.doesNotMatch(await selected(), /^all threads/);
  await view.keyboard.press('Escape');
  assert.match(await selected(), /^all threads/);
  assert.equal(await cells.count(), before);
  await view.keyboard.press('ArrowDown');
  await view.keyboard.press('ArrowDown');
  const target = await view.evaluate(() => document.activeElement.getAttribute('aria-label'));
  await view.keyboard.press('Enter');
  assert.equal(await selected(), target);
  await view.getByRole('button', { name: 'Zoom out' }).click();
  await view.keyboard.press('Enter');
  assert.match(await selected(), /^all threads/);
  await accessible(view, 'jam');

  // A link of a finding leads to its cluster and opens it.
  await view.locator('#f1 a[href^="#s1-c"]').first().click();
  assert.ok(await view.locator('tr:target .stack').isVisible());

  // The theme.
  const paper = () => view.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await paper();
  await view.getByRole('button', { name: 'Dark theme' }).click();
  assert.notEqual(await paper(), light);
  await accessible(view, 'jam, dark by the button');
  await view.getByRole('button', { name: 'Light theme' }).click();
  assert.equal(await paper(), light);
  await close();
}

// A ring is seen, and said.
for (const [name, threads] of [['deadlock', 2], ['ring', 3]]) {
  const { view, close } = await open(name);
  assert.equal(await view.locator('.box.ring.thread').count(), threads, name);
  assert.equal(await view.locator('.arrow.ring').count(), 2 * threads, name);
  assert.match(await view.getAttribute('svg.wait', 'aria-label'), /form a ring/);
  await close();
}

// Nothing of a hostile dump runs, and all of it can be seen.
{
  const { view, close } = await open('hostile');
  assert.doesNotMatch(await view.title(), /^owned/);
  assert.equal(await view.locator('img, body script:not([type="application/json"])').count(), 1, 'our own script');
  const body = await view.locator('body').innerText();
  await view.getByRole('button', { name: 'Open all' }).click();
  assert.match(await view.locator('body').innerText(), /<img src=x onerror=alert\(1\)>/);
  assert.doesNotMatch(body, /[\u202e\u2066\u200b\u001b\u0007]/);
  assert.match(await view.content(), /\\u\{202e\}gnp/);
  await close();
}

// Inputs that failed are said; several snapshots can be opened.
{
  const { view, close } = await open('several');
  assert.match(await text(view, '#failed'), /2 of 4 inputs/);
  assert.match(await text(view, '#failed'), /<b>\.txt/);
  assert.equal(await view.locator('svg.wait:visible').count(), 1);
  await view.locator('.snapshot:not([open]) > summary').click();
  assert.equal(await view.locator('svg.wait:visible').count(), 2);
  assert.ok(await view.locator('.icicle [role=treeitem]:visible').count() > 10);
  await accessible(view, 'several');
  await close();
}

// Without JavaScript: answer, findings, clusters and stacks.
{
  const { view, close } = await open('jam', { javaScriptEnabled: false });
  assert.match(await text(view, 'h1'), /g_log_mutex/);
  assert.ok(await view.locator('#f1 .because').isVisible());
  assert.ok(!await view.locator('.tools').first().isVisible());
  await view.locator('#s1-c1 details > summary').click();
  assert.match(await text(view, '#s1-c1 .stack'), /pthread_mutex_lock/);
  await view.screenshot({ path: join(shots, 'jam-no-script.png'), fullPage: true });
  await close();
}

// At each width, in both themes: nothing sticks out, and screenshots.
for (const name of Object.keys(pages)) {
  for (const colorScheme of ['light', 'dark']) {
    // The gallery has 90 boxes and 100 clusters, which axe looks at for a minute.
    for (const width of name === 'gallery' ? [1600] : [380, 900, 1600]) {
      const { view, close } = await open(name, { colorScheme, viewport: { width, height: 1000 } });
      const wide = await view.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= width, `${name} at ${width}: ${wide} wide`);
      await view.screenshot({ path: join(shots, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      counts.shots += 1;
      await accessible(view, `${name} at ${width}, ${colorScheme}`);
      await close();
    }
  }
}

// Printed.
{
  const { view, close } = await open('jam', { viewport: { width: 900, height: 1000 } });
  await view.emulateMedia({ media: 'print' });
  assert.ok(!await view.locator('.tools').first().isVisible());
  await view.screenshot({ path: join(shots, 'jam-print.png'), fullPage: true });
  const pdf = await view.pdf({ format: 'A4' });
  assert.ok(pdf.length > 10_000);
  writeFileSync(join(shots, 'jam.pdf'), pdf);
  await close();
}

await browser.close();
rmSync(work, { recursive: true });
console.log(`html: ${counts.pages} pages opened in ${execFileSync('/usr/bin/chromium', ['--version'])}`.trim());
console.log(`html: ${counts.axe} checks by axe without a violation, ${counts.shots} screenshots`);
