// Every part of the operators' console that a designer should look at.
import { operatorToken } from "../ops-console";
import { bringTrouble } from "./ops-fixtures";
import type { Stage, State } from "./states";

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

/** The console of a shop in which much is wrong at once. */
async function inTrouble(stage: Stage, address: string): Promise<void> {
  const { page } = stage;
  await bringTrouble(page);
  await stage.signInAsOperator(operatorToken());
  await page.goto(address);
  await page.locator("main table tbody tr").first().waitFor();
}

async function openLetter({ page, words }: Stage): Promise<void> {
  await page.getByRole("button", { name: words.openLetter }).first().click();
  await page.getByRole("group", { name: words.body }).waitFor();
}

async function openRedrive({ page, words }: Stage): Promise<void> {
  await page.getByRole("button", { name: "malformed" }).click();
  await page.getByRole("button", { name: words.redriveAll }).click();
  await page.getByLabel(words.why).fill(words.mended);
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
  {
    name: "ops-dead-letters-many",
    reach: (stage) => inTrouble(stage, "/ops/dead-letters"),
  },
  {
    name: "ops-letter",
    reach: async (stage) => {
      await inTrouble(stage, "/ops/dead-letters");
      await openLetter(stage);
    },
  },
  {
    name: "ops-redrive-planned",
    reach: async (stage) => {
      await inTrouble(stage, "/ops/dead-letters");
      await openRedrive(stage);
      await stage.page
        .getByRole("button", { name: stage.words.dryRun })
        .click();
      await stage.page.getByText(stage.words.nothingChanged).waitFor();
    },
  },
  {
    name: "ops-redrive-under-way",
    reach: async (stage) => {
      await inTrouble(stage, "/ops/dead-letters");
      await openRedrive(stage);
      await stage.page.getByLabel(stage.words.why).press("Enter");
      await stage.page.getByRole("progressbar").waitFor();
    },
  },
  {
    name: "ops-discard",
    reach: async (stage) => {
      await inTrouble(stage, "/ops/dead-letters");
      const { page, words } = stage;
      await page.getByRole("checkbox").nth(1).check();
      await page.getByRole("button", { name: words.discardChosen }).click();
      await page.getByLabel(words.why).press("Enter");
    },
  },
  {
    name: "ops-stuck-many",
    reach: (stage) => inTrouble(stage, "/ops/stuck"),
  },
  {
    name: "ops-log-entries",
    reach: (stage) => inTrouble(stage, "/ops/log"),
  },
  {
    name: "ops-services-away",
    reach: async (stage) => {
      await stage.signInAsOperator(operatorToken());
      await stage.page.route(/ops\/v1/, (route) =>
        route.fulfill({ status: 503, body: "" }),
      );
      await stage.page.goto("/ops");
      await stage.page.getByText(stage.words.trouble).first().waitFor();
    },
  },
  {
    name: "ops-follow-unknown",
    reach: async (stage) => {
      await stage.signInAsOperator(operatorToken());
      await stage.page.goto(
        "/ops/follow?q=018f0000-0000-7000-8000-000000000000",
      );
      await stage.page.getByText(stage.words.neither).waitFor();
    },
  },
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
