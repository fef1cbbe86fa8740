// The first scenario of the shop in a real browser: an order too dear, an order paid, all of it live.
import { expect, test } from "@playwright/test";
import { freshUserId, ShopPage } from "./shop-page";

test("an order is declined, another is paid, and the page shows both as they happen", async ({
  page,
}) => {
  const shop = new ShopPage(page);
  const faults = watchFaults(page);
  let loads = 0;
  page.on("load", () => (loads += 1));

  await test.step("a stranger is told that this is a demo and signs in", async () => {
    await page.goto("/");
    await expect(page.getByText("Anybody may sign in")).toBeVisible();
    await expect(shop.connection).toHaveText("Signed out");
    await shop.signIn(freshUserId());
    await expect(shop.connection).toHaveText("Live");
    await expect(page.getByText("No orders yet.")).toBeVisible();
  });

  await test.step("an account is opened and topped up", async () => {
    await shop.openAccount();
    await shop.expectBalance("0.00");
    await shop.topUp("100");
    await shop.expectBalance("100.00");
  });

  await test.step("an order of 200 is cancelled, and says why", async () => {
    await shop.placeOrder("A kettle", "200");
    const kettle = shop.order("A kettle");
    await expect(kettle).toContainText("200.00");
    await expect(kettle).toContainText("Cancelled");
    await expect(kettle).toContainText("not enough money in your account");
    await shop.expectBalance("100.00");
  });

  await test.step("an order of 100 is finished and paid from the balance", async () => {
    await shop.placeOrder("A teapot", "100,00");
    await expect(shop.order("A teapot")).toContainText("Finished");
    await shop.expectBalance("0.00");
  });

  await test.step("the newest order comes first, each of them once", async () => {
    await expect(shop.orders).toHaveText([/A teapot/, /A kettle/]);
    await expect(shop.connection).toHaveText("Live");
  });

  expect(loads, "the page was loaded once").toBe(1);
  expect(faults).toEqual([]);
});

test("a reload keeps the session and shows the same list", async ({ page }) => {
  const shop = new ShopPage(page);
  const userId = freshUserId();
  await page.goto("/");
  await shop.signIn(userId);
  await shop.openAccount();
  await shop.topUp("0.30");
  await shop.expectBalance("0.30");
  for (const n of [1, 2, 3]) {
    await shop.placeOrder(`Sugar lump ${n}`, "0.1");
    await expect(shop.order(`Sugar lump ${n}`)).toContainText("Finished");
  }
  await shop.expectBalance("0.00");
  const before = await shop.orders.allTextContents();

  await page.reload();
  await expect(page.getByText(`User ${userId}`)).toBeVisible();
  await shop.expectBalance("0.00");
  await expect(shop.connection).toHaveText("Live");
  await expect(shop.orders).toHaveText(before);

  await page.getByRole("button", { name: "Sign out" }).click();
  await expect(shop.connection).toHaveText("Signed out");
  await page.reload();
  await expect(page.getByLabel("User id")).toBeVisible();
});

test("an order without an account is cancelled, and says why", async ({
  page,
}) => {
  const shop = new ShopPage(page);
  await page.goto("/");
  await shop.signIn(freshUserId());
  await shop.placeOrder("A samovar", "1");
  await expect(shop.order("A samovar")).toContainText("Cancelled");
  await expect(shop.order("A samovar")).toContainText("no account");
});

test("what is no amount is refused beside its field and never sent", async ({
  page,
}) => {
  const shop = new ShopPage(page);
  await page.goto("/");
  await shop.signIn(freshUserId());
  await expect(page.getByText("No orders yet.")).toBeVisible();
  const sent: string[] = [];
  page.on("request", (request) => {
    if (request.method() === "POST") sent.push(request.url());
  });

  await shop.placeOrder("A saucer", "1.234");
  const amount = page.getByLabel("Amount");
  await expect(amount).toBeFocused();
  await expect(amount).toHaveAccessibleDescription(
    "Enter kopecks with two digits at most, like 199.90.",
  );
  expect(sent).toEqual([]);
});

test.describe("on a phone", () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test("nothing is wider than the screen", async ({ page }) => {
    const shop = new ShopPage(page);
    await page.goto("/");
    await expect(page.getByLabel("User id")).toBeVisible();
    await shop.expectNoHorizontalScroll();

    await shop.signIn(freshUserId());
    await shop.openAccount();
    await shop.topUp("1000000000");
    await shop.expectBalance("1\u202f000\u202f000\u202f000.00");
    const long = `A${"a".repeat(200)}`;
    await shop.placeOrder(long, "999 999 999.99");
    await expect(shop.order(long)).toContainText("Finished");
    await shop.placeOrder("A kettle", "200");
    await expect(shop.order("A kettle")).toContainText("Cancelled");
    await shop.expectNoHorizontalScroll();
  });
});

/** What a page must never do: throw, break its own content policy, or ask another host for anything. */
function watchFaults(page: ShopPage["page"]): string[] {
  const faults: string[] = [];
  const home = new URL(process.env.GOZON_URL ?? "").host;
  page.on("pageerror", (error) => faults.push(`threw ${error.message}`));
  page.on("console", (message) => {
    if (/content security policy/i.test(message.text())) {
      faults.push(message.text());
    }
  });
  page.on("request", (request) => {
    const { host } = new URL(request.url());
    if (host !== home) faults.push(`asked ${host}`);
  });
  return faults;
}
