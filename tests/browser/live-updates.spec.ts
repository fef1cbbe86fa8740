// News that arrive whatever happens to the connection, and at nobody else's page.
import { expect, test, type Page } from "@playwright/test";
import { Door, doorToTheShop, Replica } from "./replicas";
import { freshUserId, ShopPage } from "./shop-page";

/** A signed-in person with an account and some money. */
async function arrive(
  page: Page,
  address = "/",
  userId = freshUserId(),
): Promise<ShopPage> {
  const shop = new ShopPage(page);
  await page.goto(address);
  await shop.signIn(userId);
  await shop.openAccount();
  await shop.topUp("1000");
  await shop.expectBalance("1\u202f000.00");
  await expect(shop.connection).toHaveText("Live");
  return shop;
}

/** Places an order as the same person, but not by this page: whatever it shows of it, it was told. */
async function placeElsewhere(page: Page, description: string): Promise<void> {
  const answer = await page.request.post(
    `${process.env.GOZON_URL}/api/v1/orders`,
    {
      headers: { "Idempotency-Key": crypto.randomUUID() },
      data: {
        amount: { amount_minor: 10_000, currency: "RUB" },
        description,
      },
    },
  );
  expect(answer.status()).toBe(201);
}

interface Frame {
  readonly type: string;
  readonly resumed?: boolean;
  readonly orders: readonly { readonly description: string }[];
}

/** All frames the page is sent, socket by socket. */
function watchSockets(page: Page): Frame[][] {
  const sockets: Frame[][] = [];
  page.on("websocket", (socket) => {
    const frames: Frame[] = [];
    sockets.push(frames);
    socket.on("framereceived", ({ payload }) => {
      frames.push(JSON.parse(String(payload)) as Frame);
    });
  });
  return sockets;
}

test("two people in two browsers never see each other's orders or money", async ({
  browser,
}) => {
  const [first, second] = await Promise.all([
    browser.newContext(),
    browser.newContext(),
  ]);
  const one = await arrive(await first.newPage());
  const other = await arrive(await second.newPage());
  await Promise.all([
    one.placeOrder("Mine alone", "100"),
    other.placeOrder("Yours alone", "300"),
  ]);
  await expect(one.order("Mine alone")).toContainText("Finished");
  await expect(other.order("Yours alone")).toContainText("Finished");
  await one.expectBalance("900.00");
  await other.expectBalance("700.00");
  await expect(one.orders).toHaveCount(1);
  await expect(other.orders).toHaveCount(1);

  await one.order("Mine alone").getByRole("link").click();
  await other.page.goto(new URL(one.page.url()).pathname);
  await expect(
    other.page.getByRole("heading", { name: "There is no such order" }),
  ).toBeVisible();
  await Promise.all([first.close(), second.close()]);
});

test("two tabs of one person agree, whichever of them acts", async ({
  page,
  context,
}) => {
  const one = await arrive(page);
  const other = new ShopPage(await context.newPage());
  await other.page.goto("/");
  await other.expectBalance("1\u202f000.00");
  await one.placeOrder("From the first tab", "100");
  await other.placeOrder("From the second tab", "200");
  for (const tab of [one, other]) {
    await expect(tab.order("From the first tab")).toContainText("Finished");
    await expect(tab.order("From the second tab")).toContainText("Finished");
    await tab.expectBalance("700.00");
  }
  await other.topUp("50");
  await one.expectBalance("750.00");

  await other.page.getByRole("button", { name: "Sign out" }).click();
  await expect(page.getByLabel("User id")).toBeVisible();
});

test("a socket that is cut resumes without a gap and without telling anything twice", async ({
  page,
}) => {
  const door = await doorToTheShop();
  const sockets = watchSockets(page);
  // Sockets are looked at here: whenever the door opens, nothing else may carry the news.
  await page.route(/\/api\/v1\/events/, (route) => route.abort());
  const shop = await arrive(page, door.url);
  await shop.placeOrder("Before the cut", "100");
  await expect(shop.order("Before the cut")).toContainText("Finished");

  door.lock();
  await expect(shop.connection).toContainText("as of");
  await placeElsewhere(page, "During the cut");
  await expect(shop.order("During the cut")).toHaveCount(0);
  door.unlock();
  await expect(shop.connection).toHaveText("Live");
  await expect(shop.order("During the cut")).toContainText("Finished");
  await shop.expectBalance("800.00");

  const first = sockets.at(-1)?.[0];
  expect(first?.resumed, "the last socket resumed").toBe(true);
  expect(
    first?.orders.map((order) => order.description),
    "what had been told before is not told again",
  ).toEqual(["During the cut"]);
  await door.close();
});

test("where no WebSocket gets through, everything comes as server-sent events, across a cut too", async ({
  page,
}) => {
  const door = await doorToTheShop();
  door.refuseUpgrades();
  const streams: URL[] = [];
  let questions = 0;
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (request.resourceType() === "eventsource") streams.push(url);
    if (url.pathname === "/api/v1/orders" && request.method() === "GET") {
      questions += 1;
    }
  });
  const shop = await arrive(page, door.url);
  expect(streams).toHaveLength(1);
  questions = 0;
  await placeElsewhere(page, "Told by the stream");
  await expect(shop.order("Told by the stream")).toContainText("Finished");
  await shop.expectBalance("900.00");
  expect(questions, "the page did not have to ask").toBe(0);

  door.cut();
  await expect(shop.connection).toContainText("as of");
  await placeElsewhere(page, "During the cut");
  await expect(shop.connection).toHaveText("Live");
  await expect(shop.order("During the cut")).toContainText("Finished");
  await expect(shop.orders).toHaveCount(2);
  expect(streams.at(-1)?.searchParams.get("cursor")).toBeTruthy();
  await door.close();
});

test("when no stream gets through, the page asks by itself, and stops when they are back", async ({
  page,
}) => {
  let blocked = false;
  await page.routeWebSocket(/\/api\/v1\/events/, (socket) => {
    if (blocked) void socket.close({ code: 1013 });
    else socket.connectToServer();
  });
  await page.route(/\/api\/v1\/events/, (route) =>
    blocked ? route.abort() : route.continue(),
  );
  const shop = await arrive(page);
  blocked = true;
  const answers: number[] = [];
  page.on("response", (response) => {
    const { pathname } = new URL(response.url());
    if (pathname === "/api/v1/orders" && response.request().method() === "GET")
      answers.push(response.status());
  });
  await page.evaluate(() => dispatchEvent(new Event("online")));
  await expect(shop.connection).toContainText("Asking every few seconds", {
    timeout: 30_000,
  });
  await expect(shop.connection).toContainText("as of");
  await placeElsewhere(page, "Found by asking");
  await expect(shop.order("Found by asking")).toContainText("Finished");
  await shop.expectBalance("900.00");
  await expect.poll(() => answers, { timeout: 30_000 }).toContain(304);

  await shop.connection.getByRole("button", { name: "Reconnect now" }).focus();
  blocked = false;
  // Unless the page was faster.
  await page.keyboard.press("Enter");
  await expect(shop.connection).toHaveText("Live");
  // The button is gone, and the keyboard's place is kept.
  await expect(shop.connection).toBeFocused();
});

test("a replica that is killed takes nothing with it: the page goes on at another", async ({
  page,
}) => {
  test.setTimeout(120_000);
  const [doomed, other] = [await Replica.start(), await Replica.start()];
  const door = await Door.open(() => [doomed.port, other.port]);
  const sockets = watchSockets(page);
  try {
    const shop = await arrive(page, door.url);
    await shop.placeOrder("Before it dies", "100");
    await expect(shop.order("Before it dies")).toContainText("Finished");
    // Nobody waits for the first one to be decided before the replica is gone.
    await shop.placeOrder("As it dies", "100");
    await doomed.kill();
    await expect(shop.order("As it dies")).toContainText("Finished", {
      timeout: 45_000,
    });
    await expect(shop.connection).toHaveText("Live");
    await placeElsewhere(page, "After it died");
    await expect(shop.order("After it died")).toContainText("Finished");
    await shop.expectBalance("700.00");
    await expect(shop.orders).toHaveCount(3);
    expect(sockets.length).toBeGreaterThan(1);
  } finally {
    await door.close();
    await Promise.all([doomed.kill(), other.kill()]);
  }
});

test("offline is said, and the network's return is noticed at once", async ({
  page,
  context,
}) => {
  const door = await doorToTheShop();
  const shop = await arrive(page, door.url);
  door.lock();
  await context.setOffline(true);
  await expect(shop.connection).toContainText("Offline");
  await expect(shop.connection).toContainText(/as of \d\d:\d\d:\d\d/);
  await placeElsewhere(page, "While offline");

  door.unlock();
  await context.setOffline(false);
  await expect(shop.connection).toHaveText("Live");
  await expect(shop.order("While offline")).toContainText("Finished");
  await door.close();
});
