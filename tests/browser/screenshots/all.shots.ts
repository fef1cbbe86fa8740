// Takes a picture of every state, in each language and at each width, into `target/screenshots/`.
import { test } from "@playwright/test";
import { ShopPage } from "../shop-page";
import { OPS_STATES } from "./ops-states";
import { Stage, STATES } from "./states";
import { WORDS } from "./words";

const FOLDER = "../../target/screenshots";
const WIDTHS = [390, 1440];

for (const language of ["en", "ru"] as const) {
  test.describe(language, () => {
    test.use({ locale: { en: "en-GB", ru: "ru-RU" }[language] });

    for (const { name, reach } of [...STATES, ...OPS_STATES]) {
      test(name, async ({ page }) => {
        await reach(new Stage(page, WORDS[language]));
        for (const width of WIDTHS) {
          await page.setViewportSize({ width, height: 844 });
          await new ShopPage(page).expectNoHorizontalScroll();
          for (const colorScheme of ["light", "dark"] as const) {
            await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
            await page.screenshot({
              path: `${FOLDER}/${name}-${language}-${width}-${colorScheme}.png`,
              fullPage: true,
              animations: "disabled",
            });
          }
        }
      });
    }
  });
}
