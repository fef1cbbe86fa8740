// The stand-in of `k6/execution`: k6 has a runtime for each virtual user, and Node one for all, so what belongs to an
// iteration follows its asynchronous calls.
import { AsyncLocalStorage } from "node:async_hooks";

export const iteration = new AsyncLocalStorage();

export default {
  get scenario() {
    return iteration.getStore();
  },
};
