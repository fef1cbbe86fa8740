// Svelte's compiler: runes everywhere, so that reactivity is always written out; and no warning passes, those about
// accessibility least of all.
export default {
  compilerOptions: { runes: true },
  /** @param {{ code: string, message: string, filename?: string | undefined }} warning */
  onwarn(warning) {
    throw new Error(`${warning.filename}: ${warning.code}: ${warning.message}`);
  },
};
