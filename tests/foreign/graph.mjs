// The wait graph, read by Mermaid's own parser, which wants a DOM for its sanitizer.
// needs-npm: mermaid@11.17.2
// needs-npm: jsdom@29.1.1
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import assert from "node:assert";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const logjam = resolve(process.env.LOGJAM);
const modules = createRequire(join(root, "target/foreign/package.json"));
const load = (name) => import(pathToFileURL(modules.resolve(name)));

const { JSDOM } = await load("jsdom");
const { window } = new JSDOM("<body></body>");
globalThis.window = window;
globalThis.document = window.document;
const mermaid = (await load("mermaid")).default;
mermaid.initialize({ startOnLoad: false });

const work = mkdtempSync(join(tmpdir(), "graph-"));
const folder = join(work, "dumps");
mkdirSync(folder);
cpSync(join(root, "fixtures/gdb/self-deadlock.txt"), join(folder, "stacks.txt"));
const header = Buffer.alloc(64);
header.write("\x7fELF\x02\x01\x01", "latin1");
header[16] = 4;
header[18] = 62;
writeFileSync(join(folder, "core.cut"), header);

const core = (name) => join(root, "fixtures/cores", `${name}.core.zst`);
const cases = {
  contended: { inputs: [core("logging-mutex-5000")], vertices: 3, edges: 2, says: ["4,499 threads", "g_log_mutex"] },
  deadlock: { inputs: [core("three-ring")], vertices: 7, edges: 7, thick: 6, says: ["g_savings", "g_credit"] },
  chain: { inputs: [core("chained-holders")], vertices: 5, edges: 4, says: ["20 threads", "g_stock_mutex"] },
  crash: { inputs: [core("crash-null")] },
  healthy: { inputs: [core("healthy-pool")] },
  gallery: { inputs: [core("gallery")] },
  several: { inputs: ["three-ring", "gallery", "gallery-cxx", "self-deadlock", "rwlock-writer"].map(core) },
  hostile: { inputs: [join(root, "tests/foreign/hostile-stacks.txt")], says: ['"ev\\"il;=</script>"', "g_\"lock;\\x07&amp;"] },
  folder: { inputs: [folder], code: 3, says: ["1 input could not be analyzed"] },
};

// Mermaid keeps `#60;` as `ﬂ°°60¶ß` until it draws.
const decoded = (text) => text.replace(/ﬂ°°(\d+)¶ß/g, (_, code) => String.fromCodePoint(Number(code)));

try {
  for (const [name, expected] of Object.entries(cases)) {
    const done = spawnSync(logjam, [...expected.inputs, "--format", "mermaid", "-q"], { encoding: "utf8" });
    assert.equal(done.status, expected.code ?? 0, `${name}: ${done.stderr}`);
    const text = done.stdout;
    assert.ok(text.length <= 50_000, `${name}: ${text.length} characters`);
    const { diagramType } = await mermaid.parse(text);
    assert.equal(diagramType, "flowchart-v2", name);
    const { db } = await mermaid.mermaidAPI.getDiagramFromText(text);
    const vertices = [...db.getVertices().values()];
    const edges = db.getEdges();
    assert.ok(edges.length <= 500, `${name}: ${edges.length} edges`);
    if (expected.vertices) assert.equal(vertices.length, expected.vertices, `${name}: vertices`);
    if (expected.edges) assert.equal(edges.length, expected.edges, `${name}: edges`);
    const thick = edges.filter((edge) => edge.stroke === "thick").length;
    assert.equal(thick, expected.thick ?? (name === "several" ? thick : 0), `${name}: edges of a ring`);
    const labels = vertices.map((vertex) => decoded(vertex.text ?? "")).join("\n");
    for (const word of expected.says ?? []) assert.ok(labels.includes(word), `${name}: ${word} is not in\n${labels}`);
    console.log(`graph: ${name}: ${vertices.length} vertices, ${edges.length} edges, ${thick} in a ring`);
  }
  // The parser is not one that takes everything.
  await assert.rejects(mermaid.parse('flowchart LR\n  a["unfinished'));
} finally {
  rmSync(work, { recursive: true });
}
