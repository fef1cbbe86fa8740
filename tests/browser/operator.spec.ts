// The operators' console in a real browser: a poison message is found, looked at and redriven, and its order ends.
import AxeBuilder from "@axe-core/playwright";
import { expect, test, type Page } from "@playwright/test";
import { Customer } from "./customer";
import { OpsConsole } from "./ops-console";
import { mend, poison } from "./poison";
import { bringTrouble } from "./screenshots/ops-fixtures";
import { freshUserId, ShopPage } from "./shop-page";

test("a poison message appears, is looked at, redriven, and its order is paid", async ({
  page,
  request,
}) => {
  const userId = freshUserId();
  const ops = new OpsConsole(page);
  const customer = await Customer.enter(request, userId, 500);
  poison(userId);
  try {
    const order = await customer.order("A poisoned teapot", 100);
    await ops.signIn(freshUserId());
    await ops.goTo("Dead letters");

    await test.step("it is there, by its reason, with a sample", async () => {
      const group = ops.row("By reason", "database");
      await expect(group).toContainText("a fault of the handler");
      const fold = group.getByRole("button", { name: "database" });
      await expect(fold).toHaveAttribute("aria-expanded", "true");
      await fold.click();
      await expect(fold).toHaveAttribute("aria-expanded", "false");
      await fold.click();
    });

    await test.step("it is shown whole", async () => {
      await page
        .getByRole("button", { name: /^Open payment\// })
        .first()
        .click();
      const body = page.getByRole("group", { name: "Body" });
      await expect(body).toContainText(order.id);
      await expect(page.getByRole("group", { name: "Headers" })).toContainText(
        "content_type",
      );
      await expectAccessible(page);
    });

    await test.step("a dry run changes nothing", async () => {
      await page.getByRole("button", { name: "Redrive", exact: true }).click();
      await page.getByRole("button", { name: "Dry run" }).click();
      await expect(page.getByText("Nothing was changed")).toBeVisible();
      await customer.expectStatus(order.id, "NEW");
    });

    await test.step("without a reason nothing is sent", async () => {
      const form = page.getByRole("region", { name: /^Redrive 1 dead letter/ });
      await form.getByRole("button", { name: "Redrive" }).click();
      await expect(form.getByText("Say why")).toBeVisible();
      await expect(form.getByLabel("Why?")).toBeFocused();
      await expectAccessible(page);
    });

    await test.step("mended and redriven it is settled, and the order paid", async () => {
      mend(userId);
      const form = page.getByRole("region", { name: /^Redrive 1 dead letter/ });
      await form.getByLabel("Why?").fill("the handler is mended");
      await form.getByRole("button", { name: "Redrive" }).click();
      await expect(form.getByText("The redrive has ended")).toBeVisible();
      await expect(form).toContainText("1 settled, 0 died again, 0 left");
      await customer.expectStatus(order.id, "FINISHED");
    });

    await test.step("the log says who did it and why", async () => {
      await ops.goTo("Log");
      await expect(
        ops.row("Log", "the handler is mended").first(),
      ).toContainText("1 settled");
      await expectAccessible(page);
    });

    await test.step("the order is followed hop by hop, by its number", async () => {
      await ops.goTo("Follow an order");
      await page.getByLabel("Order, event or trace").fill(String(order.number));
      await page.getByRole("button", { name: "Follow" }).click();
      const hops = page.getByRole("group", { name: "The hops of the order" });
      for (const step of [
        "Request",
        "Committed to the outbox",
        "Picked up from its lane",
        "Published",
        "Confirmed by the broker",
        "Inbox: fresh",
        "Decided",
        "Ledger entry",
      ]) {
        await expect(hops).toContainText(step);
      }
      await expect(hops).toContainText("FINISHED");
      await expectAccessible(page);
    });
  } finally {
    mend(userId);
  }
});

test("a letter that is given up declines its order, for a reason", async ({
  page,
  request,
}) => {
  const userId = freshUserId();
  const ops = new OpsConsole(page);
  const customer = await Customer.enter(request, userId, 500);
  poison(userId);
  const order = await customer.order("A kettle nobody can sell", 100);
  await ops.signIn(freshUserId());
  await ops.goTo("Dead letters");
  await expect(
    ops.row("By reason", "database").getByRole("button"),
  ).toHaveAttribute("aria-expanded", "true");
  await page
    .getByRole("checkbox", { name: /^Choose payment\// })
    .first()
    .check();
  mend(userId);
  await page.getByRole("button", { name: "Discard 1 chosen" }).click();
  await page.getByLabel("Why?").fill("the supplier is gone");
  await page.getByRole("button", { name: "Discard", exact: true }).click();
  await expect(page.getByText("1 discarded")).toBeVisible();
  await customer.expectStatus(order.id, "CANCELLED");
});

test("more letters than one request takes are redriven in parts, each behind the one before", async ({
  page,
}) => {
  const MOST = 10_000;
  const asked: { filter: { reason?: string; after: number | null } }[] = [];
  await page.route(/ops\/v1\/payment\/dead-letters/, async (route) => {
    const url = new URL(route.request().url());
    if (!url.pathname.endsWith("/redrive")) {
      const oldest_at = new Date().toISOString();
      const all = { queue: "payment.orders.v1", reason: "database" };
      const count = { ...all, letters: MOST + 3, marked: 0, oldest_at };
      return route.fulfill({
        json: { items: [], by_reason: [count], next_cursor: null },
      });
    }
    const body = route.request().postDataJSON() as (typeof asked)[number];
    asked.push(body);
    return route.fulfill({
      json: {
        dry_run: false,
        letters: asked.length === 1 ? MOST : 3,
        by_reason: [],
        samples: [],
        last_due_at: null,
        last_id: asked.length === 1 ? 70_123 : 70_126,
        operation_id: asked.length,
        request_id: null,
      },
    });
  });
  await page.route(/ops\/v1\/payment\/operations/, (route) => {
    const marked = asked.length === 1 ? MOST : 3;
    const progress = { settled: 0, died_again: marked, left: 0, marked };
    return route.fulfill({
      json: {
        items: [{ id: 1, action: "dead_letters.redrive", progress }],
        next_cursor: null,
      },
    });
  });
  const ops = new OpsConsole(page);
  await ops.signIn(freshUserId());
  await ops.goTo("Dead letters");
  await page.getByRole("button", { name: /^Redrive all/ }).click();
  await page.getByLabel("Why?").fill("mended");
  await page.getByLabel("Why?").press("Enter");
  await expect(page.getByText("died again, 0 left")).toBeVisible();
  await page.getByRole("button", { name: "Redrive the next 3" }).click();
  await expect(page.getByText("3 died again, 0 left")).toBeVisible();
  await expect(page.getByRole("button", { name: /the next/ })).toHaveCount(0);
  expect(asked.map(({ filter }) => filter.after)).toEqual([null, 70_123]);
});

test("the role that serves the page is among those whose health is shown", async ({
  page,
}) => {
  let isAway = false;
  await page.route(/ops\/v1\/web\/health/, (route) =>
    isAway ? route.abort() : route.continue(),
  );
  const ops = new OpsConsole(page);
  await ops.signIn(freshUserId());
  const health = page.getByRole("region", { name: "Health" });
  await expect(health).toContainText(/Page\s*✓\s*works:\s*Replica/);
  await expect(health).toContainText("Up for");
  isAway = true;
  await expect(health).toContainText(/fails:\s*Replica\s*does not answer/);
});

test("a customer is kept out of the console and of its API", async ({
  page,
  request,
  baseURL,
}) => {
  const userId = freshUserId();
  const customer = await Customer.enter(request, userId, 1);
  for (const part of ["health", "outbox", "dead-letters", "operations"]) {
    expect(await customer.asks(`/ops/v1/order/${part}`), part).toBe(403);
    // Without the session's cookie.
    const stranger = await fetch(`${baseURL}/ops/v1/order/${part}`);
    expect(stranger.status, part).toBe(401);
  }
  expect(await customer.asks("/ops/v1/order/nothing")).toBe(404);
  await page.goto("/");
  await page.getByLabel("User id").fill(userId);
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText(`User ${userId}`)).toBeVisible();
  await page.goto("/ops");
  await expect(page.getByText("For operators only")).toBeVisible();
  await expect(page.getByText("signed in as a customer")).toBeVisible();
  await expect(page.getByRole("navigation")).toHaveCount(0);
  await page.getByLabel("Operators' token").fill("a guess");
  await page.getByRole("button", { name: "Sign in" }).click();
  await expect(page.getByText("not the operators' token")).toBeVisible();
  await expectAccessible(page);
});

for (const [scheme, width] of [
  ["light", 1440],
  ["dark", 390],
] as const) {
  test(`every part is accessible and fits, ${scheme} and ${width} wide`, async ({
    page,
  }) => {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height: 900 });
    const ops = new OpsConsole(page);
    await ops.signIn(freshUserId());
    await expect(page.getByRole("heading", { name: "Health" })).toBeVisible();
    for (const part of [
      "Overview",
      "Dead letters",
      "Follow an order",
      "Stuck orders",
      "Log",
    ]) {
      await test.step(part, async () => {
        await ops.goTo(part);
        await expect(page.getByText("Asking the services")).toHaveCount(0);
        await expectAccessible(page);
        const overflow = await page.evaluate(() => {
          const root = document.documentElement;
          return root.scrollWidth - root.clientWidth;
        });
        expect(overflow, part).toBeLessThanOrEqual(0);
      });
    }
  });
}

for (const width of [1440, 390]) {
  test(`full tables are accessible and fit as well, ${width} wide`, async ({
    page,
  }) => {
    await page.setViewportSize({ width, height: 900 });
    await bringTrouble(page);
    const ops = new OpsConsole(page);
    await ops.signIn(freshUserId());
    for (const [part, table, text] of [
      ["Dead letters", "By reason", "unknown_order"],
      ["Stuck orders", "Stuck orders", "no relay is alive"],
      ["Log", "Log", "a trailing comma"],
    ] as const) {
      await ops.goTo(part);
      await expect(ops.row(table, text)).toBeVisible();
      await expectAccessible(page);
      await new ShopPage(page).expectNoHorizontalScroll();
    }
  });
}

test("the console speaks Russian", async ({ page }) => {
  const ops = new OpsConsole(page);
  await ops.signIn(freshUserId());
  await page.getByRole("button", { name: "Русский" }).click();
  await expect(
    page.getByRole("heading", { name: "Эксплуатация" }),
  ).toBeVisible();
  await expect(
    page.getByRole("link", { name: "Недоставленные сообщения" }),
  ).toBeVisible();
});

async function expectAccessible(page: Page): Promise<void> {
  const { violations } = await new AxeBuilder({ page }).analyze();
  expect(violations.map(({ id, nodes }) => [id, nodes[0]?.html])).toEqual([]);
}
