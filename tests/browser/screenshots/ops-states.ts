// Every part of the operators' console that a designer should look at.
import { operatorToken } from "../ops-console";
import type { State } from "./states";

/** Time for a few looks at the services, so that the charts have a line. */
const SOME_LOOKS_MS = 9_000;

function part(name: string, address: string): State {
  return {
    name: `ops-${name}`,
    reach: async (stage) => {
      await stage.signInAsOperator(operatorToken());
      await stage.page.goto(address);
      await stage.page.locator("nav").waitFor();
      await stage.page.waitForTimeout(SOME_LOOKS_MS);
    },
  };
}

export const OPS_STATES: readonly State[] = [
  {
    name: "ops-gate",
    reach: async (stage) => {
      await stage.signIn();
      await stage.page.goto("/ops");
      await stage.page.locator("form").waitFor();
    },
  },
  part("overview", "/ops"),
  part("dead-letters", "/ops/dead-letters"),
  part("stuck", "/ops/stuck"),
  part("log", "/ops/log"),
  {
    name: "ops-follow",
    reach: async (stage) => {
      await stage.signIn();
      await stage.openAccount(1000);
      const id = await stage.order(199.9, stage.words.kettle);
      await stage.signInAsOperator(operatorToken());
      await stage.page.goto(`/ops/follow?q=${id}`);
      await stage.page.locator("tbody tr").last().waitFor();
    },
  },
];
