// What @types/k6 leaves to a browser's types, which would promise far more than k6 has.
declare const console: { error(text: string): void };
