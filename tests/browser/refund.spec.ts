// What becomes of an order whose money is missing, and of one whose owner gives it up.
import { expect, test } from "@playwright/test";
import { freshUserId, ShopPage } from "./shop-page";

test("an order declined for want of money says how much is missing, and topping up by it lets the next one through", async ({
  page,
}) => {
  const shop = new ShopPage(page);
  await page.goto("/");
  await shop.signIn(freshUserId());
  await shop.openAccount();
  await shop.topUp("100");
  await shop.expectBalance("100.00");
  await shop.placeOrder("A kettle", "250.50");
  await expect(shop.order("A kettle")).toContainText("Cancelled");
  const form = page.getByRole("region", { name: "New order" });
  await expect(form.getByText("You are 150.50\u00a0₽ short.")).toBeVisible();

  await form.getByRole("button", { name: "Top up by 150.50" }).click();
  const field = page.getByLabel("Top up by", { exact: true });
  await expect(field).toBeFocused();
  await expect(field).toHaveValue("150.50");
  await page.keyboard.press("Enter");
  await shop.expectBalance("250.50");
  await expect(form.getByText("short.")).toHaveCount(0);

  await shop.placeOrder("The same kettle", "250.50");
  await expect(shop.order("The same kettle")).toContainText("Finished");
  await shop.expectBalance("0.00");

  await shop.order("A kettle").getByRole("link").click();
  const declined = page.getByRole("listitem").filter({ hasText: "declined" });
  await expect(declined).toContainText("not enough money");
});

test("a paid order is cancelled by its owner, the money comes back, and every step is shown", async ({
  page,
}) => {
  const shop = new ShopPage(page);
  await page.goto("/");
  await shop.signIn(freshUserId());
  await shop.openAccount();
  await shop.topUp("100");
  await shop.placeOrder("A teapot", "40");
  await expect(shop.order("A teapot")).toContainText("Finished");
  await shop.order("A teapot").getByRole("link").click();
  await expect(page).toHaveURL(/\/orders\/[0-9a-f-]{36}$/);
  await expect(page.getByRole("heading", { name: "A teapot" })).toBeFocused();
  await shop.expectBalance("60.00");

  const requests: (Record<string, string> | undefined)[] = [];
  page.on("request", (request) => {
    if (request.url().endsWith("/cancel")) requests.push(request.headers());
  });
  await page.getByRole("button", { name: "Cancel the order" }).click();
  await expect(page.getByText("get 40.00\u00a0₽ back?")).toBeFocused();
  await page.getByRole("button", { name: "Keep the order" }).click();
  await expect(
    page.getByRole("button", { name: "Cancel the order" }),
  ).toBeFocused();
  expect(requests).toEqual([]);
  await page.getByRole("button", { name: "Cancel the order" }).click();
  await page.getByRole("button", { name: "Cancel and refund" }).click();

  await expect(
    page.getByRole("main").getByText("your money is back"),
  ).toBeVisible();
  // What had the keyboard's place is gone.
  await expect(page.getByRole("heading", { name: "A teapot" })).toBeFocused();
  await shop.expectBalance("100.00");
  expect(requests).toHaveLength(1);
  expect(requests[0]?.["if-match"]).toBe('"2"');
  expect(requests[0]?.["idempotency-key"]).toBeTruthy();

  const timeline = page.getByRole("region", { name: "What happened" });
  await expect(timeline.getByRole("listitem")).toContainText([
    "Order placed",
    "Payment requested",
    "Paid",
    "Order finished",
    "You cancelled the order",
    "Money returned",
    "Order cancelled",
  ]);
  for (const step of await timeline.getByRole("listitem").all()) {
    await expect(step).toContainText(/\d\d:\d\d:\d\d\.\d{3}/);
  }
  await page.getByText("Details").click();
  await expect(
    page.locator("dd").filter({ hasText: /^[0-9a-f]{32}$/ }),
  ).not.toHaveCount(0);
  // The order's own id, and six times that of the event that goes with a step: all steps but the payment's being taken up.
  await expect(
    page.locator("dd").filter({ hasText: /[0-9a-f]{8}-[0-9a-f]{4}-7/ }),
  ).toHaveCount(7);

  await page.getByRole("link", { name: "All orders" }).click();
  await expect(shop.order("A teapot")).toContainText("your money is back");
});

test("an order cancelled elsewhere first is refused in words, and shown as it is", async ({
  page,
}) => {
  const shop = new ShopPage(page);
  await page.goto("/");
  await shop.signIn(freshUserId());
  await shop.openAccount();
  await shop.topUp("100");
  await shop.placeOrder("A cup", "10");
  await expect(shop.order("A cup")).toContainText("Finished");
  await shop.order("A cup").getByRole("link").click();
  await page.getByRole("button", { name: "Cancel the order" }).click();
  // The page's request comes second: somebody else's goes before it.
  await page.route("**/cancel", async (route) => {
    const headers = { ...route.request().headers(), "idempotency-key": "else" };
    await route.fetch({ headers });
    await route.continue();
  });
  await page.getByRole("button", { name: "Cancel and refund" }).click();
  await expect(page.getByText(/already/)).toBeVisible();
  await expect(
    page.getByRole("main").getByText("your money is back"),
  ).toBeVisible();
  await shop.expectBalance("100.00");
});
