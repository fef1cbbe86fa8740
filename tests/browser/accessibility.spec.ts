// Every page of the customer's, in both themes, as axe sees it; and by the keyboard alone.
import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";
import { operatorToken } from "./ops-console";
import { freshUserId, ShopPage } from "./shop-page";

async function expectNoViolations(page: Page): Promise<void> {
  // What is still fading in has less contrast than it will have.
  await page.evaluate(() =>
    Promise.all(
      document
        .getAnimations()
        .filter((animation) => animation.effect?.getTiming().iterations === 1)
        .map((animation) => animation.finished.catch(() => undefined)),
    ),
  );
  const { violations } = await new AxeBuilder({ page }).analyze();
  const found = violations.map(
    ({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join(" ")}`,
  );
  expect(found).toEqual([]);
}

for (const colorScheme of ["light", "dark"] as const) {
  test.describe(`in the ${colorScheme} theme`, () => {
    test.use({ colorScheme });

    test("no page has a violation", async ({ page }) => {
      test.setTimeout(120_000);
      const shop = new ShopPage(page);
      await page.goto("/");
      await expect(page.getByLabel("User id")).toBeVisible();
      await expectNoViolations(page);

      await page.getByRole("button", { name: "Sign in" }).click();
      await expect(page.getByLabel("User id")).toBeFocused();
      await expectNoViolations(page);

      await shop.signIn(freshUserId());
      await expect(page.getByText("No orders yet.")).toBeVisible();
      await expectNoViolations(page);

      await shop.openAccount();
      await shop.topUp("100");
      await shop.placeOrder("A kettle", "250");
      await expect(shop.order("A kettle")).toContainText("Cancelled");
      await shop.placeOrder("A teapot", "100");
      await expect(shop.order("A teapot")).toContainText("Finished");
      await shop.placeOrder("", "nothing");
      await expectNoViolations(page);

      await shop.order("A teapot").getByRole("link").click();
      await page.getByText("Details").click();
      await page.getByRole("button", { name: "Cancel the order" }).click();
      await expectNoViolations(page);
      await page.getByRole("button", { name: "Cancel and refund" }).click();
      await expect(
        page.getByRole("main").getByText("your money is back"),
      ).toBeVisible();
      await expectNoViolations(page);

      await page.goto("/orders/018f0000-0000-7000-8000-000000000000");
      await expect(page.getByText("There is no such order")).toBeVisible();
      await expectNoViolations(page);
      await page.goto("/nowhere");
      await expect(page.getByText("There is no such page")).toBeVisible();
      await expectNoViolations(page);
    });

    test("neither has a page that waits for an answer or a connection", async ({
      page,
    }) => {
      const shop = new ShopPage(page);
      await page.goto("/");
      await shop.signIn(freshUserId());
      await shop.openAccount();
      await page.route("**/api/v1/**", (route) => route.abort());
      await page.routeWebSocket(/events/, (socket) => void socket.close());
      await shop.placeOrder("A kettle", "250");
      await expect(page.getByText("do not pay again")).toBeVisible();
      await page.evaluate(() => dispatchEvent(new Event("online")));
      await expect(shop.connection).toContainText("as of");
      await expectNoViolations(page);
    });
  });
}

test("everything is done by the keyboard alone", async ({ page }) => {
  const shop = new ShopPage(page);
  await page.goto("/");
  await page.getByLabel("User id").focus();
  await page.keyboard.type(freshUserId());
  await page.keyboard.press("Enter");
  const open = page.getByRole("button", { name: "Open an account" });
  await tabTo(page, open);
  await page.keyboard.press("Enter");
  await expect(shop.balance).toBeVisible();
  await tabTo(page, page.getByLabel("Top up by"));
  await page.keyboard.type("100");
  await page.keyboard.press("Enter");
  await shop.expectBalance("100.00");
  await tabTo(page, page.getByLabel("What is it for?"));
  await page.keyboard.type("A spoon");
  await page.keyboard.press("Tab");
  await page.keyboard.type("10");
  await page.keyboard.press("Enter");
  await expect(shop.order("A spoon")).toContainText("Finished");
  await tabTo(page, page.getByRole("radio", { name: "All" }));
  await page.keyboard.press("ArrowRight");
  await expect(page.getByText("None of the orders shown")).toBeVisible();
  await page.keyboard.press("ArrowRight");
  await tabTo(page, page.getByRole("link", { name: "A spoon" }));
  await page.keyboard.press("Enter");
  await tabTo(page, page.getByRole("button", { name: "Cancel the order" }));
  await page.keyboard.press("Enter");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await expect(
    page.getByRole("main").getByText("your money is back"),
  ).toBeVisible();
});

test("the console is worked by the keyboard alone", async ({ page }) => {
  await page.goto("/ops");
  const token = page.getByLabel("Operators' token");
  await tabTo(page, token);
  await page.keyboard.type(operatorToken());
  await page.keyboard.press("Enter");
  await expect(page.getByRole("heading", { name: "Operations" })).toBeFocused();
  await tabTo(page, page.getByRole("link", { name: "Follow an order" }));
  await page.keyboard.press("Enter");
  const field = page.getByLabel("Order, event or trace");
  await tabTo(page, field);
  await page.keyboard.type("not an order");
  await page.keyboard.press("Enter");
  await expect(field).toBeFocused();
  await expect(field).toHaveAccessibleDescription(/Enter an id/);
  await field.press("Control+a");
  await page.keyboard.type("018f0000-0000-7000-8000-000000000000");
  await page.keyboard.press("Enter");
  await expect(page.getByText("Neither service knows it")).toBeVisible();
});

for (const reducedMotion of ["reduce", "no-preference"] as const) {
  const moves = reducedMotion === "no-preference";
  test(`with a preference of motion "${reducedMotion}" ${moves ? "something" : "nothing"} moves`, async ({
    page,
  }) => {
    await page.emulateMedia({ reducedMotion });
    await page.addInitScript(() => {
      const moved: string[] = [];
      Object.assign(window, { moved });
      for (const kind of ["animationstart", "transitionrun"]) {
        document.addEventListener(kind, () => moved.push(kind));
      }
      const animate = Element.prototype.animate;
      Element.prototype.animate = function (frames, options) {
        const duration =
          typeof options === "number" ? options : Number(options?.duration);
        if (duration > 0) moved.push(`for ${duration} ms`);
        return animate.call(this, frames, options);
      };
    });
    const shop = new ShopPage(page);
    await page.goto("/");
    await shop.signIn(freshUserId());
    await shop.openAccount();
    await shop.topUp("100");
    await shop.placeOrder("A kettle", "250");
    await expect(shop.order("A kettle")).toContainText("Cancelled");
    await shop.placeOrder("A teapot", "100");
    await expect(shop.order("A teapot")).toContainText("Finished");
    await shop.order("A teapot").getByRole("link").hover();
    await shop.order("A teapot").getByRole("link").click();
    await page.getByRole("button", { name: "Cancel the order" }).click();
    await page.getByRole("button", { name: "Cancel and refund" }).click();
    await expect(
      page.getByRole("main").getByText("your money is back"),
    ).toBeVisible();
    const moved = await page.evaluate(
      () => (window as unknown as { moved: string[] }).moved,
    );
    if (moves) expect(moved).not.toEqual([]);
    else expect(moved).toEqual([]);
  });
}

/** Goes on by Tab until it is there; a page has few enough stops. */
async function tabTo(
  page: Page,
  target: ReturnType<Page["getByRole"]>,
): Promise<void> {
  await expect(target).toBeVisible();
  for (let stops = 0; stops < 40; stops += 1) {
    if (await target.evaluate((it) => it === document.activeElement)) return;
    await page.keyboard.press("Tab");
  }
  throw new Error(`the keyboard does not reach ${target.toString()}`);
}
