/** `npm run recover -- …`, and dist/recover.cjs: see USAGE in options.ts. */

// Before anything else is loaded, because an older Node fails at that with words that help nobody.
const [major = 0] = process.versions.node.split('.').map(Number);
if (major >= 24) {
  void start();
} else {
  process.stderr.write(`recover needs Node 24 or newer; this is ${process.version}\n`);
  process.exitCode = 1;
}

async function start(): Promise<void> {
  const { processMain } = await import('./process-main.ts');
  await processMain();
}
