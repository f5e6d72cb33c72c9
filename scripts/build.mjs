// Bundles src/cli.ts into dist/. Users get one package without transitive installs or install scripts.
//   node scripts/build.mjs [--entry FILE] [--outdir DIR]
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));

// CommonJS packages in an ES module: they ask for require, and ssh2's poly1305 (emscripten) also for __dirname.
const banner = [
  "import { createRequire as __ostkCreateRequire } from 'node:module';",
  "import { fileURLToPath as __ostkFileURLToPath } from 'node:url';",
  "import { dirname as __ostkDirname } from 'node:path';",
  'const require = __ostkCreateRequire(import.meta.url);',
  'const __filename = __ostkFileURLToPath(import.meta.url);',
  'const __dirname = __ostkDirname(__filename);',
].join('\n');

/** @returns the esbuild metafile */
export async function bundle({ entry, outdir }) {
  const result = await build({
    entryPoints: { cli: entry },
    outdir,
    absWorkingDir: root,
    // An entry outside of the tree (the tests have one) finds our packages.
    nodePaths: [join(root, 'node_modules')],
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    // ssh2 works without both: they are optional native accelerators.
    external: ['cpu-features', '*.node'],
    banner: { js: banner },
    chunkNames: 'chunks/[name]-[hash]',
    legalComments: 'none',
    metafile: true,
    logLevel: 'warning',
  });
  return result.metafile;
}

/** Folders under node_modules that any bundled file came from, sorted. */
function bundledPackages(metafile) {
  const folders = new Set();
  for (const input of Object.keys(metafile.inputs)) {
    const parts = input.split('/');
    const at = parts.lastIndexOf('node_modules');
    if (at < 0) continue;
    const length = parts[at + 1]?.startsWith('@') ? 3 : 2;
    folders.add(parts.slice(0, at + length).join('/'));
  }
  return [...folders].sort();
}

const licenceFile = /^(licen[cs]e|copying|notice|copyright)([.-].*)?$/i;

/** The licence texts of everything in the bundle; a package without any text is named with what it declares. */
export async function thirdParty(metafile) {
  const sections = [];
  for (const folder of bundledPackages(metafile)) {
    const absolute = join(root, folder);
    const manifest = JSON.parse(await readFile(join(absolute, 'package.json'), 'utf8'));
    const licence =
      typeof manifest.license === 'string' ? manifest.license : (manifest.licenses?.[0]?.type ?? 'unknown');
    const files = (await readdir(absolute)).filter((name) => licenceFile.test(name)).sort();
    const texts = [];
    for (const name of files) texts.push((await readFile(join(absolute, name), 'utf8')).trim());
    const author = typeof manifest.author === 'string' ? manifest.author : manifest.author?.name;
    const text =
      texts.length > 0
        ? texts.join('\n\n')
        : `Licence ${licence}${author ? `, by ${author}` : ''}; the package holds no licence text.`;
    sections.push(`${manifest.name} ${manifest.version} (${licence})\n\n${text}\n`);
  }
  const rule = `\n${'-'.repeat(80)}\n\n`;
  return `ostk-doctor contains the following packages.\n${rule}${sections.join(rule)}`;
}

async function main() {
  const { values } = parseArgs({ options: { entry: { type: 'string' }, outdir: { type: 'string' } } });
  const entry = resolve(values.entry ?? join(root, 'src/cli.ts'));
  const outdir = resolve(values.outdir ?? join(root, 'dist'));
  if (outdir === dirname(outdir) || `${root}${sep}`.startsWith(`${outdir}${sep}`))
    throw new Error(`refusing to empty ${outdir}`);
  await rm(outdir, { recursive: true, force: true });
  await mkdir(outdir, { recursive: true });
  const metafile = await bundle({ entry, outdir });
  await writeFile(join(outdir, 'THIRD-PARTY.txt'), await thirdParty(metafile));
  const bytes = Object.values(metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
  console.error(
    `${relative(process.cwd(), outdir) || '.'}: ${Object.keys(metafile.outputs).length} files, ${Math.round(bytes / 1024)} KiB`,
  );
}

if (process.argv[1] !== undefined && resolve(process.argv[1]) === fileURLToPath(import.meta.url)) await main();
