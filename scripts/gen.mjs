// Writes what is derived from the sources: docs/*.schema.json and docs/codes/*.md.
//   node scripts/gen.mjs [--check]     --check writes nothing and fails when a file is stale
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Imports TypeScript on any Node: bundled to a temporary file first. */
async function load(entry) {
  const folder = await mkdtemp(join(tmpdir(), 'ostk-doctor-gen-'));
  try {
    const outfile = join(folder, 'module.mjs');
    const banner =
      "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);\nconst __filename = '', __dirname = '';";
    await build({
      entryPoints: [join(root, entry)],
      outfile,
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20',
      external: ['cpu-features', '*.node'],
      banner: { js: banner },
      logLevel: 'warning',
    });
    return await import(pathToFileURL(outfile).href);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Wanted files by their path from the root. */
async function wanted() {
  const files = new Map();
  const { renderJsonSchema, renderReachSchema } = await load('src/report/json-schema.ts');
  files.set('docs/report.schema.json', renderJsonSchema());
  files.set('docs/reach.schema.json', renderReachSchema());
  if (existsSync(join(root, 'src/checks/registry.ts'))) {
    const { allFindingSpecs } = await load('src/checks/registry.ts');
    const { renderCodeIndex, renderCodePage } = await load('src/report/code-page.ts');
    const specs = [...allFindingSpecs].sort((a, b) => (a.code < b.code ? -1 : 1));
    const titles = new Map(specs.map((spec) => [spec.code, spec.title]));
    files.set('docs/codes/README.md', renderCodeIndex(specs));
    for (const spec of specs)
      files.set(
        `docs/codes/${spec.code}.md`,
        renderCodePage(spec, (code) => titles.get(code)),
      );
  }
  return files;
}

/** Pages of codes that exist no more. */
async function leftovers(files) {
  const folder = join(root, 'docs/codes');
  if (!existsSync(folder)) return [];
  return (await readdir(folder))
    .map((name) => `docs/codes/${name}`)
    .filter((path) => path.endsWith('.md') && !files.has(path));
}

const { values } = parseArgs({ options: { check: { type: 'boolean' } } });
const files = await wanted();
const stale = [];
for (const [path, text] of files) {
  const absolute = join(root, path);
  if (existsSync(absolute) && (await readFile(absolute, 'utf8')) === text) continue;
  stale.push(path);
  if (values.check) continue;
  await mkdir(dirname(absolute), { recursive: true });
  await writeFile(absolute, text);
}
for (const path of await leftovers(files)) {
  stale.push(path);
  if (!values.check) await rm(join(root, path));
}
if (values.check && stale.length > 0) {
  console.error(`stale, run npm run gen:\n${stale.map((path) => `  ${path}`).join('\n')}`);
  process.exitCode = 1;
} else {
  console.error(`${files.size} files, ${stale.length} ${values.check ? 'stale' : 'written or removed'}`);
}
