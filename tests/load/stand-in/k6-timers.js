// The stand-in of `k6/timers`: Node's own.
export const { setTimeout, clearTimeout } = globalThis;
