// Every part of the operators' console that a designer should look at.
import { operatorToken } from "../ops-console";
import type { State } from "./states";

function part(name: string, address: string, shows: string): State {
  return {
    name: `ops-${name}`,
    reach: async (stage) => {
      await stage.signInAsOperator(operatorToken());
      await stage.page.goto(address);
      // A flat line has no height, so it is there without being seen.
      await stage.page.locator(shows).first().waitFor({ state: "attached" });
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
  // A chart has a line after a few looks at the services.
  part("overview", "/ops", "main svg polyline"),
  part("dead-letters", "/ops/dead-letters", "main section.card"),
  part("stuck", "/ops/stuck", "main section.card"),
  part("log", "/ops/log", "main section.card"),
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
