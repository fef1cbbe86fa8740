// Svelte's compiler: runes everywhere, so that reactivity is always written out.
export default { compilerOptions: { runes: true } };
