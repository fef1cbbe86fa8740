// When nobody knows whether an order was placed: the page asks again under the same key until it is known.
import { expect, test, type Page } from "@playwright/test";
import { freshUserId, ShopPage } from "./shop-page";

/** Lets orders reach the shop and loses its answers while told to; remembers the keys they came with. */
async function loseAnswers(
  page: Page,
): Promise<{ keys: string[]; losing: boolean }> {
  const wire = { keys: [] as string[], losing: true };
  await page.route("**/api/v1/orders", async (route) => {
    const request = route.request();
    if (request.method() !== "POST") return route.continue();
    wire.keys.push(request.headers()["idempotency-key"] ?? "");
    if (!wire.losing) return route.continue();
    await route.fetch();
    await route.abort("connectionreset");
  });
  return wire;
}

async function arrive(page: Page): Promise<ShopPage> {
  const shop = new ShopPage(page);
  await page.goto("/");
  await shop.signIn(freshUserId());
  await shop.openAccount();
  await shop.topUp("100");
  await shop.expectBalance("100.00");
  return shop;
}

test("a reload while the outcome is unknown makes one order", async ({
  page,
}) => {
  const shop = await arrive(page);
  const wire = await loseAnswers(page);
  await shop.placeOrder("Once only", "30");
  await expect(
    page.getByText("We are checking: do not pay again."),
  ).toBeVisible();
  await expect(page.getByLabel("What is it for?")).not.toBeEditable();

  await page.reload();
  await expect(
    page.getByText("We are checking: do not pay again."),
  ).toBeVisible();
  await expect(page.getByLabel("What is it for?")).toHaveValue("Once only");
  wire.losing = false;
  await expect(page.getByText(/Order \d+ placed\./)).toBeVisible({
    timeout: 45_000,
  });
  await expect(page.getByText("We are checking")).toHaveCount(0);
  await expect(shop.order("Once only")).toHaveCount(1);
  await expect(shop.order("Once only")).toContainText("Finished");
  await shop.expectBalance("70.00");
  expect(wire.keys.length).toBeGreaterThan(2);
  expect(new Set(wire.keys).size, "every attempt had the same key").toBe(1);

  // Known now: the next one is another order, also after one more reload.
  await page.reload();
  await shop.placeOrder("Another", "30");
  await expect(shop.order("Another")).toContainText("Finished");
  await shop.expectBalance("40.00");
  expect(new Set(wire.keys).size).toBe(2);
});

test("a shop that answers again is asked again, without the person doing anything", async ({
  page,
}) => {
  const shop = await arrive(page);
  const wire = await loseAnswers(page);
  await shop.placeOrder("By itself", "30");
  await expect(page.getByText("do not pay again")).toBeVisible();
  wire.losing = false;
  await expect(page.getByText(/Order \d+ placed\./)).toBeVisible({
    timeout: 45_000,
  });
  await shop.expectBalance("70.00");
  expect(new Set(wire.keys).size).toBe(1);
});

test("a shop that is too busy says that nothing was done, and may be asked again", async ({
  page,
}) => {
  const shop = await arrive(page);
  let busy = true;
  await page.route("**/api/v1/orders", (route) =>
    busy && route.request().method() === "POST"
      ? route.fulfill({
          status: 503,
          contentType: "application/problem+json",
          headers: { "Retry-After": "1" },
          json: { code: "overloaded", title: "Overloaded", status: 503 },
        })
      : route.continue(),
  );
  await shop.placeOrder("Later", "30");
  await expect(page.getByText("very busy and did nothing")).toBeVisible();
  busy = false;
  await page.getByRole("button", { name: "Place order" }).click();
  await expect(shop.order("Later")).toContainText("Finished");
});
