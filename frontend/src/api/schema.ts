// Generated from the shop's OpenAPI document by `make prepare`: do not edit.

export interface paths {
    readonly "/api/orders/orders": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Lists the newest thousand orders of all users. */
        readonly get: operations["original_list_orders"];
        readonly put?: never;
        /** Places an order. */
        readonly post: operations["original_place_order"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/orders/ws/{user_id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Streams the decisions about a user's orders. */
        readonly get: operations["original_events"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/payments/accounts": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Open an account (the original's contract)
         * @description A user who has one already gets the same answer.
         */
        readonly post: operations["original_open_account"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/payments/accounts/{user_id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Read an account's balance (the original's contract) */
        readonly get: operations["original_read_account"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/payments/accounts/topup": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Top an account up (the original's contract) */
        readonly post: operations["original_top_up"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/account": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Read the account */
        readonly get: operations["read_account"];
        readonly put?: never;
        /**
         * Open an account
         * @description The account is empty. A user has one account: whoever has it already gets it as it stands, and nothing changes.
         */
        readonly post: operations["open_account"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/account/entries": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List the ledger entries
         * @description Newest first, in the order in which they changed the balance.
         */
        readonly get: operations["list_entries"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/account/top-ups": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /** Top the account up */
        readonly post: operations["top_up"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/events": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Streams the asker's orders: first a snapshot, then every change.
         * @description As a WebSocket: close code 1012 or 1013 means to connect again with the newest cursor. As server-sent events
         *     (`Accept: text/event-stream`): the same frames as data, each with its cursor as id; a browser resumes by itself. Either
         *     way a `beat` comes every 20 seconds, whatever happens: who hears nothing for 45 connects again.
         */
        readonly get: operations["events"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/orders": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Lists the asker's orders, newest first. With `If-None-Match` it tells cheaply whether the page has changed. */
        readonly get: operations["list_orders"];
        readonly put?: never;
        /** Places an order: it is NEW at once, and FINISHED or CANCELLED as soon as the payment service has decided. */
        readonly post: operations["place_order"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/orders/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Reads an order. With `If-None-Match` it tells cheaply whether the order has changed. */
        readonly get: operations["read_order"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/orders/{id}/cancel": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Gives a FINISHED order up: it is REFUNDING at once, and CANCELLED with the reason `refunded` as soon as the payment
         *     service has given the money back.
         * @description The same key again gets the same answer, whatever has become of the order. Another key for an order that is being
         *     cancelled gets 409, as does any order that is not FINISHED, whichever version If-Match names.
         */
        readonly post: operations["cancel_order"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/api/v1/session": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** Ask who one is signed in as */
        readonly get: operations["read_session"];
        readonly put?: never;
        /**
         * Sign in with a user id of one's choice
         * @description The session comes as a cookie for the page and as a token for machines. Only in a demo.
         */
        readonly post: operations["sign_in"];
        /**
         * Sign out
         * @description The cookie is cleared. A token stays valid until it expires.
         */
        readonly delete: operations["sign_out"];
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/order/dead-letters": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List dead letters
         * @description Newest first, without headers and bodies.
         */
        readonly get: operations["order_list_dead_letters"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/order/dead-letters/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read a dead letter
         * @description With its headers and its body as they arrived.
         */
        readonly get: operations["order_show_dead_letter"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/order/dead-letters/about": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Look for orders in dead letters
         * @description Among the newest 1,000 dead letters of this service.
         */
        readonly get: operations["order_orders_in_dead_letters"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/order/dead-letters/cancel-redrive": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Take a redrive back
         * @description What is marked and not settled yet stays a dead letter, as if no redrive had been asked for. Recorded in the operators'
         *     log.
         */
        readonly post: operations["order_cancel_redrive_of_dead_letters"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/order/dead-letters/discard": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Discard dead letters
         * @description All or none of them. A valid order that is given up is declined, so that it ends; any other valid event must be
         *     settled and is refused. Recorded in the operators' log.
         */
        readonly post: operations["order_discard_dead_letters"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/order/dead-letters/redrive": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Redrive dead letters
         * @description Nothing is published: the letters are marked, and the service settles them through the same handler at the rate asked
         *     for. One that dies again is a dead letter again. Recorded in the operators' log, which says how it goes on.
         */
        readonly post: operations["order_redrive_dead_letters"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/order/find": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Find an order by one of its events or its trace
         * @description An event of this service that was published within the last days or still waits, or a dead letter of it. A trace is sought
         *     among the newest 50,000 orders and the newest 1,000 dead letters.
         */
        readonly get: operations["order_find_order"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/order/health": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Look at a service's health
         * @description Its database, the broker, its queue, and the processes that consume it.
         */
        readonly get: operations["order_read_health"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/order/operations": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List what operators changed
         * @description Newest first. Nobody can change or delete a record. A redrive is found again by the id of its request, with what has
         *     become of its letters.
         */
        readonly get: operations["order_list_operations"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/order/orders/{order}/trace": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Follow an order
         * @description What this service knows of it. The order service takes a number as well as an id, the payment service only an id.
         */
        readonly get: operations["order_trace_order"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/order/outbox": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Look at the outbox
         * @description What waits to be published, and who is to publish it. It costs at most a look at 100,000 rows.
         */
        readonly get: operations["order_read_outbox"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/order/stuck": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List stuck orders
         * @description Those that are NEW or REFUNDING for too long, oldest first, with a guess at the cause. The reconciler repeats their
         *     requests by itself.
         */
        readonly get: operations["order_list_stuck"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/payment/dead-letters": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List dead letters
         * @description Newest first, without headers and bodies.
         */
        readonly get: operations["payment_list_dead_letters"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/payment/dead-letters/{id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read a dead letter
         * @description With its headers and its body as they arrived.
         */
        readonly get: operations["payment_show_dead_letter"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/payment/dead-letters/about": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Look for orders in dead letters
         * @description Among the newest 1,000 dead letters of this service.
         */
        readonly get: operations["payment_orders_in_dead_letters"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/payment/dead-letters/cancel-redrive": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Take a redrive back
         * @description What is marked and not settled yet stays a dead letter, as if no redrive had been asked for. Recorded in the operators'
         *     log.
         */
        readonly post: operations["payment_cancel_redrive_of_dead_letters"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/payment/dead-letters/discard": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Discard dead letters
         * @description All or none of them. A valid order that is given up is declined, so that it ends; any other valid event must be
         *     settled and is refused. Recorded in the operators' log.
         */
        readonly post: operations["payment_discard_dead_letters"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/payment/dead-letters/redrive": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly get?: never;
        readonly put?: never;
        /**
         * Redrive dead letters
         * @description Nothing is published: the letters are marked, and the service settles them through the same handler at the rate asked
         *     for. One that dies again is a dead letter again. Recorded in the operators' log, which says how it goes on.
         */
        readonly post: operations["payment_redrive_dead_letters"];
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/payment/find": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Find an order by one of its events or its trace
         * @description An event of this service that was published within the last days or still waits, or a dead letter of it. A trace is sought
         *     among the newest 50,000 orders and the newest 1,000 dead letters.
         */
        readonly get: operations["payment_find_order"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/payment/health": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Look at a service's health
         * @description Its database, the broker, its queue, and the processes that consume it.
         */
        readonly get: operations["payment_read_health"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/payment/ledger": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Read the ledger check
         * @description The payment service compares every balance with the sum of its entries, again and again. The logs name the accounts.
         */
        readonly get: operations["payment_read_ledger"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/payment/operations": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * List what operators changed
         * @description Newest first. Nobody can change or delete a record. A redrive is found again by the id of its request, with what has
         *     become of its letters.
         */
        readonly get: operations["payment_list_operations"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/payment/orders/{order}/trace": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Follow an order
         * @description What this service knows of it. The order service takes a number as well as an id, the payment service only an id.
         */
        readonly get: operations["payment_trace_order"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/payment/outbox": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Look at the outbox
         * @description What waits to be published, and who is to publish it. It costs at most a look at 100,000 rows.
         */
        readonly get: operations["payment_read_outbox"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ops/v1/web/health": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /**
         * Look at the health of the role `web`
         * @description That of the replica that answers.
         */
        readonly get: operations["read_web_health"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
    readonly "/ws/{user_id}": {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        /** The same under a shorter address. */
        readonly get: operations["original_events_short"];
        readonly put?: never;
        readonly post?: never;
        readonly delete?: never;
        readonly options?: never;
        readonly head?: never;
        readonly patch?: never;
        readonly trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description What a user can spend. */
        readonly Account: {
            /** @description The sum of the account's ledger entries; never negative. */
            readonly balance: components["schemas"]["Money"];
            /** Format: date-time */
            readonly created_at: string;
            /** Format: uuid */
            readonly id: string;
            /**
             * Format: int64
             * @description Whose account.
             */
            readonly user_id: bigint;
        };
        /**
         * @description The broker as a relay finds it.
         * @enum {string}
         */
        readonly BrokerState: "ok" | "blocked" | "away";
        /** @description What was taken back. */
        readonly CancelRedriveAnswer: {
            /**
             * Format: int64
             * @description How many dead letters are not to be settled again any more: at most 10,000 in one request.
             */
            readonly letters: bigint;
            /**
             * Format: int64
             * @description Its record in the operators' log.
             */
            readonly operation_id: bigint;
        };
        /** @description Which redrives to take back. */
        readonly CancelRedriveRequest: {
            /** @description Of which dead letters. */
            readonly filter?: components["schemas"]["DeadLetterFilter"];
            /** @description Why, for the operators' log: 1 to 1,000 characters. */
            readonly reason?: string | null;
            /**
             * Format: uuid
             * @description Only what this request for a redrive has marked: its `request_id`.
             */
            readonly request_id?: string | null;
        };
        /**
         * @description Why an order may be stuck.
         * @enum {string}
         */
        readonly Cause: "answer_is_dead_letter" | "no_relay" | "broker_away" | "waits_in_outbox" | "unanswered";
        /**
         * @description ISO 4217 code
         * @enum {string}
         */
        readonly Currency: "RUB";
        /** @description A dead letter without its headers and body. */
        readonly DeadLetter: {
            /**
             * Format: int32
             * @description How often settling it was tried.
             */
            readonly attempts: number;
            /** @description Why, in words. */
            readonly detail: string;
            /**
             * Format: uuid
             * @description The event's id; null where it cannot be read.
             */
            readonly event_id: string | null;
            /**
             * Format: date-time
             * @description When it first became a dead letter.
             */
            readonly first_seen_at: string;
            /**
             * Format: int64
             * @description Its number in this service; grows with time.
             */
            readonly id: bigint;
            /**
             * Format: date-time
             * @description When it last did.
             */
            readonly last_seen_at: string;
            /**
             * Format: int32
             * @description How often it arrived or died.
             */
            readonly occurrences: number;
            /** @description The queue whose consumer gave up. */
            readonly queue: string;
            /**
             * @description Why, as a class to filter by.
             * @example unknown_order
             */
            readonly reason: string;
            /**
             * Format: date-time
             * @description From when on it is settled again; null unless an operator has asked for it.
             */
            readonly redrive_at: string | null;
            /** @description The operator who asked for it. */
            readonly redrive_by: string | null;
            /**
             * Format: uuid
             * @description Under which request: the `request_id` of the redrive.
             */
            readonly redrive_request_id: string | null;
            /** @description The trace it belongs to; null where it cannot be read. */
            readonly trace_id: string | null;
            /** @description The event's type; null where it cannot be read. */
            readonly type: string | null;
            /** @description Whether the body is a whole message, which may hold many events. */
            readonly whole_message: boolean;
        };
        /** @description How many dead letters there are for one reason. */
        readonly DeadLetterCount: {
            /**
             * Format: int64
             * @description How many.
             */
            readonly letters: bigint;
            /**
             * Format: int64
             * @description How many of them are marked to be settled again.
             */
            readonly marked: bigint;
            /**
             * Format: date-time
             * @description When the first of them became a dead letter.
             */
            readonly oldest_at: string;
            /** @description The queue. */
            readonly queue: string;
            /** @description The reason. */
            readonly reason: string;
        };
        /** @description Which dead letters are meant: those that meet every condition that is set. */
        readonly DeadLetterFilter: {
            /**
             * Format: int64
             * @description Only those behind this one: the `last_id` of a redrive whose next part this is.
             * @default null
             */
            readonly after: bigint | null;
            /**
             * @description Only these, at most 1,000; all if empty.
             * @default []
             */
            readonly ids: readonly bigint[];
            /**
             * Format: int32
             * @description At least this many seconds in dead letters.
             * @default null
             */
            readonly min_age_seconds: number | null;
            /**
             * @description The queue whose consumer gave up.
             * @default null
             */
            readonly queue: string | null;
            /**
             * @description The reason.
             * @default null
             */
            readonly reason: string | null;
            /**
             * @description The event type.
             * @default null
             */
            readonly type: string | null;
        };
        /** @description A page of dead letters. */
        readonly DeadLetterPage: {
            /** @description All that the filter means, on whatever page, by queue and reason. */
            readonly by_reason: readonly components["schemas"]["DeadLetterCount"][];
            /** @description The dead letters, newest first. */
            readonly items: readonly components["schemas"]["DeadLetter"][];
            /**
             * Format: int64
             * @description Where the next page begins; null on the last one.
             */
            readonly next_cursor: bigint | null;
        };
        /** @description What was given up. */
        readonly DiscardAnswer: {
            /**
             * Format: int64
             * @description How many valid events their service ended: an order that will not be paid is declined.
             */
            readonly ended: bigint;
            /**
             * Format: int64
             * @description How many dead letters were deleted. Those that were gone already do not count.
             */
            readonly letters: bigint;
            /**
             * Format: int64
             * @description Its record in the operators' log.
             */
            readonly operation_id: bigint;
        };
        /** @description What to give up, and why. */
        readonly DiscardRequest: {
            /** @description Which: 1 to 1,000 of them, each by its number. There is no discarding by a filter. */
            readonly ids: readonly bigint[];
            /** @description Why, for the operators' log: 1 to 1,000 characters. */
            readonly reason: string;
        };
        /** @description A frame of the event stream. */
        readonly EventFrame: {
            /** @description Give it at the next connection, to resume there. Keep the newest. */
            readonly cursor: string;
            /** @description Orders in their current state, newest first. */
            readonly orders: readonly components["schemas"]["Order"][];
            /**
             * @description Whether the given cursor was resumed: then only orders that changed since are in this frame, otherwise the
             *     newest orders, and what the client knows is to be forgotten.
             */
            readonly resumed: boolean;
            /** @enum {string} */
            readonly type: "snapshot";
        } | {
            /** @description As in the first frame. */
            readonly cursor: string;
            /** @description Orders in their new state, each once, in the order of their first changes; drop those whose version is known. */
            readonly orders: readonly components["schemas"]["Order"][];
            /** @enum {string} */
            readonly type: "changes";
        } | {
            /** @enum {string} */
            readonly type: "beat";
        };
        /** @description The order that is meant. */
        readonly Found: {
            /**
             * Format: uuid
             * @description Its id; null if this service does not find it.
             */
            readonly order_id: string | null;
        };
        /** @description The ledger check. */
        readonly LedgerCheck: {
            readonly last_pass: components["schemas"]["LedgerPass"] | null;
        };
        /** @description One change of a balance. */
        readonly LedgerEntry: {
            /** @description By how much the balance changed: negative for a payment. */
            readonly amount: components["schemas"]["Money"];
            /** @description The balance this change left. */
            readonly balance_after: components["schemas"]["Money"];
            /** Format: date-time */
            readonly created_at: string;
            /** Format: uuid */
            readonly id: string;
            readonly kind: components["schemas"]["LedgerEntryKind"];
            /**
             * Format: uuid
             * @description The order that was paid or refunded; null for a top-up.
             */
            readonly order_id: string | null;
        };
        /**
         * @description What a balance changed for, as stored and as sent.
         * @enum {string}
         */
        readonly LedgerEntryKind: "TOP_UP" | "PAYMENT" | "REFUND";
        /** @description A page of ledger entries. */
        readonly LedgerEntryPage: {
            readonly items: readonly components["schemas"]["LedgerEntry"][];
            /** @description Where the next page begins; null on the last one. */
            readonly next_cursor: string | null;
        };
        /** @description A comparison of every balance with the sum of its entries. */
        readonly LedgerPass: {
            /**
             * Format: int64
             * @description How many accounts it compared.
             */
            readonly accounts: bigint;
            /**
             * Format: date-time
             * @description When it was completed.
             */
            readonly completed_at: string;
            /**
             * Format: int64
             * @description By how much, in minor units, summed up without signs.
             */
            readonly drift_minor: bigint;
            /**
             * Format: int64
             * @description Accounts whose balance is not the sum of their entries. Anything but 0 is money made or lost.
             */
            readonly drifting_accounts: bigint;
        };
        /**
         * @description How one signs in.
         * @enum {string}
         */
        readonly Mode: "demo";
        /** @description An amount in minor units; negative for a debit in the ledger */
        readonly Money: {
            /**
             * Format: int64
             * @description Minor units, a hundredth of a rouble each.
             * @example 19900
             */
            readonly amount_minor: bigint;
            /** @description The currency of `amount_minor`. */
            readonly currency: components["schemas"]["Currency"];
        };
        /** @description Nothing is to be said; may be left out. */
        readonly OpenAccount: Record<string, never>;
        /** @description A change by an operator. */
        readonly Operation: {
            /**
             * @description What was done.
             * @example dead_letters.redrive
             */
            readonly action: string;
            /**
             * Format: int64
             * @description How many rows it changed.
             */
            readonly affected: bigint;
            /**
             * Format: date-time
             * @description When.
             */
            readonly at: string;
            /**
             * Format: int64
             * @description Its number in this service; grows with time.
             */
            readonly id: bigint;
            /** @description What was asked for. */
            readonly parameters: unknown;
            readonly progress: components["schemas"]["RedriveProgress"] | null;
            /** @description Why, where the action asks for a reason. */
            readonly reason: string | null;
            /**
             * Format: uuid
             * @description The client's name for its request, where the action takes one.
             */
            readonly request_id: string | null;
            /** @description Who. */
            readonly who: string;
        };
        /** @description A page of the operators' log. */
        readonly OperationPage: {
            /** @description The operations, newest first. */
            readonly items: readonly components["schemas"]["Operation"][];
            /**
             * Format: int64
             * @description Where the next page begins; null on the last one.
             */
            readonly next_cursor: bigint | null;
        };
        /** @description An order. */
        readonly Order: {
            /** @description The price. */
            readonly amount: components["schemas"]["Money"];
            /**
             * Format: date-time
             * @description When the order was placed.
             */
            readonly created_at: string;
            /**
             * Format: date-time
             * @description When it left NEW; null before.
             */
            readonly decided_at?: string | null;
            /**
             * @description What was ordered.
             * @example A pair of skates
             */
            readonly description: string;
            /**
             * Format: uuid
             * @description The order's id, a `UUIDv7`.
             */
            readonly id: string;
            /**
             * Format: int64
             * @description The number people see.
             * @example 17
             */
            readonly number: bigint;
            /**
             * @description Why it was cancelled: `no_account`, `insufficient_funds`, `discarded`, or `refunded` after it was paid and its owner
             *     gave it up; null otherwise.
             * @example insufficient_funds
             */
            readonly reason?: string | null;
            /** @description Where the order stands. */
            readonly status: components["schemas"]["Status"];
            /**
             * Format: int64
             * @description The owner.
             * @example 1
             */
            readonly user_id: bigint;
            /**
             * Format: int32
             * @description Counts status changes from 1; drop what is not newer than what you know.
             * @example 1
             */
            readonly version: number;
        };
        /** @description An order and how it came there. */
        readonly OrderDetails: components["schemas"]["Order"] & {
            /** @description What happened to it, in the order of time. */
            readonly timeline: readonly components["schemas"]["TimelineItem"][];
            /**
             * @description The trace of the request that placed it.
             * @example 0af7651916cd43dd8448eb211c80319c
             */
            readonly trace_id: string;
        };
        /** @description Something that happened to an order. */
        readonly OrderHop: {
            /**
             * Format: date-time
             * @description When; null for what has no instant, such as an event that still waits.
             */
            readonly at: string | null;
            /**
             * Format: int32
             * @description How often it was tried, or came; absent for what happens once.
             */
            readonly attempts?: number | null;
            /** @description More of it, in words. */
            readonly detail: string;
            /**
             * Format: int64
             * @description The epoch under which the owner, a relay, had the lane.
             */
            readonly epoch?: bigint | null;
            /**
             * Format: uuid
             * @description The event it was about.
             */
            readonly event_id: string | null;
            /**
             * Format: int32
             * @description The lane of the outbox that it happened in.
             */
            readonly lane?: number | null;
            /** @description Who did it or is to do it: a relay, a queue's consumer, a part of the service. */
            readonly owner: string | null;
            /** @description The service that says so. */
            readonly service: components["schemas"]["Service"];
            /**
             * @description What.
             * @example outbox.appended
             */
            readonly step: string;
        };
        /** @description A page of orders. */
        readonly OrderPage: {
            /** @description The orders, newest first. */
            readonly items: readonly components["schemas"]["Order"][];
            /** @description Where the next page begins; null on the last one. */
            readonly next_cursor?: string | null;
        };
        /** @description Those of the orders that a dead letter speaks of. */
        readonly OrdersInDeadLetters: {
            /** @description Their ids. */
            readonly orders: readonly string[];
        };
        /** @description An order's hops through one service. */
        readonly OrderTrace: {
            /** @description What happened, in the order of time; what has no instant comes after what happened to the same event. */
            readonly hops: readonly components["schemas"]["OrderHop"][];
            /**
             * Format: int64
             * @description The number people see. Only the order service knows it.
             */
            readonly number?: bigint | null;
            /**
             * Format: uuid
             * @description The order.
             */
            readonly order_id: string;
            /** @description Its status. Only the order service knows it. */
            readonly status?: string | null;
            /** @description The trace of the request that placed it. Only the order service knows it. */
            readonly trace_id?: string | null;
        };
        /** @description That it is there. */
        readonly OriginalAccountStatus: {
            /** @example created */
            readonly status: string;
        };
        /** @description What is on an account. */
        readonly OriginalBalance: {
            /**
             * Format: double
             * @description Roubles, exactly: written digit by digit, never through a float.
             * @example 100
             */
            readonly balance: number;
        };
        /** @description A decision. */
        readonly OriginalDecision: {
            /**
             * Format: int64
             * @description The order's number.
             * @example 17
             */
            readonly order_id: bigint;
            /** @description FINISHED or CANCELLED. */
            readonly status: components["schemas"]["Status"];
            /**
             * Format: int64
             * @description Its owner.
             * @example 1
             */
            readonly user_id: bigint;
        };
        /** @description The original's error body. */
        readonly OriginalError: {
            readonly detail: string;
        };
        /** @description The original's body of a failure. */
        readonly OriginalFailure: {
            /** @description What is wrong. */
            readonly detail: string;
        };
        /** @description Whose account to open. */
        readonly OriginalOpenAccount: {
            /** Format: int64 */
            readonly user_id: bigint;
        };
        /** @description An order, as the original showed it. */
        readonly OriginalOrder: {
            /**
             * Format: double
             * @description Roubles.
             * @example 100
             */
            readonly amount: number;
            /** @description What was ordered. */
            readonly description: string;
            /**
             * Format: int64
             * @description Its number.
             * @example 17
             */
            readonly id: bigint;
            /** @description Where it stands: NEW, FINISHED or CANCELLED. FINISHED until a refund is done. */
            readonly status: components["schemas"]["Status"];
            /**
             * Format: int64
             * @description Its owner.
             * @example 1
             */
            readonly user_id: bigint;
        };
        /** @description The order that was placed. */
        readonly OriginalPlaced: {
            /**
             * Format: int64
             * @description Its number.
             * @example 17
             */
            readonly id: bigint;
            /** @description NEW. */
            readonly status: components["schemas"]["Status"];
        };
        /** @description What is ordered, by whom and for how much. */
        readonly OriginalPlaceOrder: {
            /**
             * Format: double
             * @description Roubles, positive, at most two decimals.
             * @example 100
             */
            readonly amount: number;
            /**
             * @description 1 to 500 characters.
             * @example A pair of skates
             */
            readonly description: string;
            /**
             * Format: int64
             * @description Who pays.
             * @example 1
             */
            readonly user_id: bigint;
        };
        /** @description How much to put on whose account. */
        readonly OriginalTopUp: {
            /**
             * Format: double
             * @description Roubles, with at most two decimals. Read digit by digit, never through a float.
             * @example 100
             */
            readonly amount: number;
            /** Format: int64 */
            readonly user_id: bigint;
        };
        /** @description That it is done. */
        readonly OriginalTopUpStatus: {
            /** @example ok */
            readonly status: string;
        };
        /** @description A lane: a 64th of the outbox, published by one relay at a time. */
        readonly OutboxLaneStatus: {
            /**
             * Format: int64
             * @description How often it has changed its owner.
             */
            readonly epoch: bigint;
            /**
             * Format: int32
             * @description Its number, 0 to 63.
             */
            readonly lane: number;
            /**
             * Format: double
             * @description Seconds until its lease ends unless renewed; negative when it has ended.
             */
            readonly lease_seconds: number | null;
            /**
             * Format: double
             * @description How long the oldest of them waits; null when none does.
             */
            readonly oldest_seconds: number | null;
            /** @description The relay that publishes it; null when nobody does. */
            readonly owner: string | null;
            /**
             * Format: int64
             * @description How many of its events wait.
             */
            readonly pending: bigint;
        };
        /** @description A relay. */
        readonly OutboxRelayStatus: {
            readonly broker: components["schemas"]["BrokerState"] | null;
            /** @description How many lanes it owns. */
            readonly lanes: number;
            /** @description Its name. */
            readonly name: string;
            /**
             * Format: int64
             * @description How many events the broker has confirmed to it since it started: it only grows while the relay lives.
             */
            readonly published_events?: bigint;
            /**
             * Format: double
             * @description Seconds since it last showed that it lives; beyond 3 it counts as gone. One that has no lanes and does not reach the
             *     broker does not count either: see `broker` and `told_seconds`.
             */
            readonly silent_seconds: number;
            /**
             * Format: double
             * @description Seconds since it told the two; null if it is of a version that does not say.
             */
            readonly told_seconds: number | null;
        };
        /** @description A service's outbox at an instant. */
        readonly OutboxStatus: {
            /** @description All lanes, by number. */
            readonly lanes: readonly components["schemas"]["OutboxLaneStatus"][];
            /**
             * Format: double
             * @description How long the oldest of them waits; null when none does.
             */
            readonly oldest_seconds: number | null;
            /**
             * Format: int64
             * @description How many events are parked, because they can never be sent, and the later events of their orders with them. At most
             *     100,000 are counted.
             */
            readonly parked: bigint;
            /**
             * Format: double
             * @description How long ago the first of them was parked; null when none is.
             */
            readonly parked_oldest_seconds: number | null;
            /**
             * Format: int32
             * @description How many days ahead there are partitions for; null when there is none at all.
             */
            readonly partition_days_ahead: number | null;
            /**
             * Format: int64
             * @description How many events wait to be published, or were not yet written back as published.
             */
            readonly pending: bigint;
            /** @description Whether more may wait than were counted: at most 100,000 rows are looked at. */
            readonly pending_is_capped: boolean;
            /** @description The relays of this outbox that have shown themselves within the last hour. */
            readonly relays: readonly components["schemas"]["OutboxRelayStatus"][];
        };
        /** @description What is ordered and for how much. */
        readonly PlaceOrder: {
            /** @description The price, 1 to 100000000000 minor units. */
            readonly amount: components["schemas"]["Money"];
            /**
             * @description 1 to 500 characters.
             * @example A pair of skates
             */
            readonly description: string;
        };
        /** @description Problem details (RFC 9457) */
        readonly Problem: {
            /**
             * @description Stable name of the problem, `snake_case`.
             * @example order_not_found
             */
            readonly code: string;
            /** @description What is wrong with this request. */
            readonly detail?: string | null;
            /**
             * Format: int32
             * @description The HTTP status, once more.
             * @example 404
             */
            readonly status: number;
            /** @description What kind of problem this is, in a few words. */
            readonly title: string;
            /**
             * @description The request's trace, to be quoted when asking for help.
             * @example 0af7651916cd43dd8448eb211c80319c
             */
            readonly trace_id?: string | null;
            /**
             * @description Always `about:blank`: what distinguishes problems is their `code`.
             * @example about:blank
             */
            readonly type: string;
        };
        /** @description A process' consumer, as it last told of itself. */
        readonly QueueConsumer: {
            /** @description Whether it has a connection to the broker. */
            readonly connected: boolean;
            /**
             * Format: int64
             * @description Dead letters it wrote.
             */
            readonly dead_letters: bigint;
            /**
             * Format: int64
             * @description Events it put off.
             */
            readonly deferred: bigint;
            /**
             * Format: int64
             * @description Events that had been settled before.
             */
            readonly duplicates: bigint;
            /**
             * Format: int64
             * @description Events it has settled since it started.
             */
            readonly fresh: bigint;
            /** @description Its name. */
            readonly name: string;
            /** @description Whether it takes nothing because its database is away. */
            readonly paused: boolean;
            /**
             * Format: double
             * @description Seconds since it told; it tells every five.
             */
            readonly told_seconds: number;
            /**
             * Format: int64
             * @description Deliveries it has taken up and not acknowledged.
             */
            readonly unacknowledged: bigint;
        };
        /** @description A queue of the broker. */
        readonly QueueDepth: {
            /**
             * Format: int32
             * @description Who consumes it, as the broker says.
             */
            readonly consumers: number;
            /** @description Its name. */
            readonly queue: string;
            /**
             * Format: int32
             * @description Messages that wait to be delivered.
             */
            readonly ready: number;
        };
        /** @description What was done, or would be. */
        readonly RedriveAnswer: {
            /** @description All the filter means, by queue and reason. */
            readonly by_reason: readonly components["schemas"]["DeadLetterCount"][];
            /** @description Whether nothing was changed. */
            readonly dry_run: boolean;
            /**
             * Format: date-time
             * @description When the last one becomes due; null for a dry run, or when there was nothing to do.
             */
            readonly last_due_at: string | null;
            /**
             * Format: int64
             * @description The last dead letter that was marked, behind which a next part begins; null for a dry run, or when there was nothing
             *     to do.
             */
            readonly last_id: bigint | null;
            /**
             * Format: int64
             * @description How many dead letters were marked, or would be. Those marked before do not count.
             */
            readonly letters: bigint;
            /**
             * Format: int64
             * @description Its record in the operators' log; null for a dry run.
             */
            readonly operation_id: bigint | null;
            /**
             * Format: uuid
             * @description The id of the request; null for a dry run.
             */
            readonly request_id: string | null;
            /** @description The newest of them. */
            readonly samples: readonly components["schemas"]["DeadLetter"][];
        };
        /** @description What has become of the letters that a redrive marked. */
        readonly RedriveProgress: {
            /**
             * Format: int64
             * @description Those whose mark an operator took off.
             */
            readonly cancelled: bigint;
            /**
             * Format: int64
             * @description Dead letters again.
             */
            readonly died_again: bigint;
            /**
             * Format: int64
             * @description Given up by an operator.
             */
            readonly discarded: bigint;
            /**
             * Format: int64
             * @description Still to be settled. At zero the redrive has ended.
             */
            readonly left: bigint;
            /**
             * Format: int64
             * @description How many it marked.
             */
            readonly marked: bigint;
            /**
             * Format: int64
             * @description Settled, found settled before, or opened into their events.
             */
            readonly settled: bigint;
        };
        /** @description What to settle again. */
        readonly RedriveRequest: {
            /** @description Only say what it would do. */
            readonly dry_run?: boolean;
            /** @description Which. */
            readonly filter?: components["schemas"]["DeadLetterFilter"];
            /**
             * Format: int64
             * @description How many at most, oldest first: 1 to 10,000, 100 if left out.
             */
            readonly limit?: bigint | null;
            /**
             * Format: int32
             * @description How many per second: 1 to 1,000, 50 if left out.
             */
            readonly rate_per_second?: number | null;
            /** @description Why, for the operators' log: 1 to 1,000 characters. */
            readonly reason?: string | null;
            /**
             * Format: uuid
             * @description The client's name for this request. The same again marks nothing twice and is answered the same; the operators' log
             *     finds it by this. Made up if left out.
             */
            readonly request_id?: string | null;
        };
        /**
         * @description What a principal may do.
         * @enum {string}
         */
        readonly Role: "customer" | "operator";
        /**
         * @description One of the two services that have an outbox and an inbox.
         * @enum {string}
         */
        readonly Service: "order" | "payment";
        /** @description How a service is. */
        readonly ServiceHealth: {
            /** @description Why the broker does not answer; null if it does. */
            readonly broker_problem: string | null;
            /** @description The consumers of the queue, in whichever process, as they told of themselves within the last hour. */
            readonly consumers: readonly components["schemas"]["QueueConsumer"][];
            /**
             * Format: double
             * @description How long its database took to answer, in milliseconds. Without a database the answer is `unavailable`.
             */
            readonly database_milliseconds: number;
            /**
             * @description How full the queue is that the service consumes, and what the broker gave up delivering from it. Empty while the
             *     broker does not answer.
             */
            readonly queues: readonly components["schemas"]["QueueDepth"][];
            /**
             * Format: double
             * @description For how many seconds some replica is still the reconciler; null while none is, and of the payment service.
             */
            readonly reconciler_lease_seconds: number | null;
            /** @description The service. */
            readonly service: components["schemas"]["Service"];
            /** @description The version of the replica that answers. */
            readonly version: string;
        };
        /** @description Who is signed in, until when. */
        readonly Session: {
            /**
             * Format: date-time
             * @description When the session ends.
             */
            readonly expires_at: string;
            /** @description How one signed in. */
            readonly mode: components["schemas"]["Mode"];
            /** @description What one may do. */
            readonly roles: readonly components["schemas"]["Role"][];
            /** @description The session itself, for machines: send it as `Authorization: Bearer`. Only when signing in. */
            readonly token?: string | null;
            /**
             * Format: int64
             * @description The user one acts as.
             * @example 1
             */
            readonly user_id: bigint;
        };
        /** @description Who wants to sign in. */
        readonly SignIn: {
            /** @description The operators' token, for who wants to be an operator as well. */
            readonly operator_token?: string | null;
            /**
             * Format: int64
             * @description A user id of one's choice, 1 to 2^63 − 1.
             * @example 1
             */
            readonly user_id: bigint;
        };
        /**
         * @description Where an order stands. Stored and sent under these names.
         * @enum {string}
         */
        readonly Status: "NEW" | "FINISHED" | "REFUNDING" | "CANCELLED";
        /** @description An order that is NEW or REFUNDING for too long. */
        readonly StuckOrder: {
            /**
             * Format: int32
             * @description How often the reconciler has repeated its request.
             */
            readonly attempts: number;
            /** @description What is most likely the cause, as far as the order service can tell. */
            readonly cause: components["schemas"]["Cause"];
            /**
             * Format: date-time
             * @description When it may do so next; null after the last attempt.
             */
            readonly next_attempt_at: string | null;
            /**
             * Format: uuid
             * @description The order.
             */
            readonly order_id: string;
            /**
             * Format: date-time
             * @description Since when.
             */
            readonly since: string;
            /**
             * @description The status it is stuck in.
             * @example NEW
             */
            readonly status: string;
        };
        /** @description A page of stuck orders, oldest first. */
        readonly StuckPage: {
            /** @description The orders. */
            readonly items: readonly components["schemas"]["StuckOrder"][];
            /**
             * Format: uuid
             * @description Where the next page begins; null on the last one.
             */
            readonly next_cursor: string | null;
        };
        /** @description One step of an order's way. */
        readonly TimelineItem: {
            /**
             * Format: date-time
             * @description When.
             */
            readonly at: string;
            /**
             * @description Why the payment was declined or the order cancelled; null otherwise.
             * @example insufficient_funds
             */
            readonly detail?: string | null;
            /**
             * Format: uuid
             * @description The event that reported it, or by which it was reported; null where there was none, and for what is older than the
             *     keeping of it.
             */
            readonly event_id?: string | null;
            /** @description What happened. */
            readonly step: components["schemas"]["TimelineStep"];
            /**
             * @description The trace it happened in; null where that was not recorded.
             * @example 0af7651916cd43dd8448eb211c80319c
             */
            readonly trace_id?: string | null;
        };
        /**
         * @description What can happen to an order.
         * @enum {string}
         */
        readonly TimelineStep: "placed" | "payment_requested_again" | "payment_requested" | "payment_decided" | "finished" | "refund_requested" | "refund_requested_again" | "refunded" | "cancelled";
        /** @description What the top-up did. */
        readonly ToppedUp: {
            /** @description The balance the top-up left. */
            readonly balance: components["schemas"]["Money"];
            readonly entry: components["schemas"]["LedgerEntry"];
        };
        /** @description How much to put on the account. */
        readonly TopUp: {
            /** @description 0.01 to 1 000 000 000 roubles. */
            readonly amount: components["schemas"]["Money"];
        };
        /** @description How the replica that answers is. */
        readonly WebHealth: {
            /**
             * Format: double
             * @description For how many seconds it has been up.
             */
            readonly up_seconds: number;
            /** @description Its version. */
            readonly version: string;
        };
        /** @description A dead letter whole. */
        readonly WholeDeadLetter: components["schemas"]["DeadLetter"] & {
            /** @description The body as text; what is no UTF-8 is replaced. */
            readonly body: string;
            /** @description The body's size in bytes. */
            readonly body_bytes: number;
            /** @description The AMQP headers and properties it came with. */
            readonly headers: unknown;
            /** @description The routing key it came with. */
            readonly routing_key: string;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    readonly original_list_orders: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The orders, newest first */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": readonly components["schemas"]["OriginalOrder"][];
                };
            };
        };
    };
    readonly original_place_order: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["OriginalPlaceOrder"];
            };
        };
        readonly responses: {
            /** @description Placed */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OriginalPlaced"];
                };
            };
            /** @description The body is not what this request wants */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OriginalFailure"];
                };
            };
            /** @description `unavailable`, or `overloaded`: too much is under way and nothing was done */
            readonly 503: {
                headers: {
                    /** @description Seconds after which trying again may be worth it */
                    readonly "Retry-After"?: bigint;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly original_events: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description Whose orders */
                readonly user_id: bigint;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A WebSocket; its text frames are JSON */
            readonly 101: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OriginalDecision"];
                };
            };
        };
    };
    readonly original_open_account: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["OriginalOpenAccount"];
            };
        };
        readonly responses: {
            /** @description The account is there */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OriginalAccountStatus"];
                };
            };
            /** @description The request cannot be meant */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OriginalError"];
                };
            };
        };
    };
    readonly original_read_account: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                readonly user_id: bigint;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The balance */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OriginalBalance"];
                };
            };
            /** @description There is no account */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OriginalError"];
                };
            };
            /** @description The user id is no positive 64-bit integer */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OriginalError"];
                };
            };
        };
    };
    readonly original_top_up: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["OriginalTopUp"];
            };
        };
        readonly responses: {
            /** @description The money is on the account */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OriginalTopUpStatus"];
                };
            };
            /** @description There is no account */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OriginalError"];
                };
            };
            /** @description The request cannot be meant */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OriginalError"];
                };
            };
        };
    };
    readonly read_account: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The account */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Account"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `account_not_found` */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly open_account: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description 1 to 128 visible ASCII characters */
                readonly "Idempotency-Key": string;
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        /** @description May be left out */
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["OpenAccount"];
            };
        };
        readonly responses: {
            /** @description There was an account already */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Account"];
                };
            };
            /** @description The account was opened */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Account"];
                };
            };
            /** @description `idempotency_key_missing`, `idempotency_key_invalid`, `malformed_json` */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid_body`, `idempotency_key_reused` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly list_entries: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next_cursor` of the page before. */
                readonly cursor?: string;
                /** @description How many entries at most: 1 to 100, 20 if left out. */
                readonly limit?: bigint;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page of entries */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["LedgerEntryPage"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `account_not_found` */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `limit_out_of_range`, `cursor_invalid`, `invalid_query` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly top_up: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description 1 to 128 visible ASCII characters */
                readonly "Idempotency-Key": string;
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["TopUp"];
            };
        };
        readonly responses: {
            /** @description The money is on the account */
            readonly 201: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ToppedUp"];
                };
            };
            /** @description `idempotency_key_missing`, `idempotency_key_invalid`, `malformed_json` */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `account_not_found`: open one first; the key stays free */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `body_too_large` */
            readonly 413: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unsupported_media_type` */
            readonly 415: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid_body`, `amount_not_positive`, `amount_too_large`, `balance_limit`, `idempotency_key_reused` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly events: {
        readonly parameters: {
            readonly query?: {
                /**
                 * @description The newest cursor of an earlier connection; `Last-Event-ID` goes before it. One that cannot be resumed is as good as
                 *     none.
                 */
                readonly cursor?: string;
            };
            readonly header?: {
                /** @description The id of the last event received */
                readonly "Last-Event-ID"?: string | null;
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A WebSocket; its text frames are JSON */
            readonly 101: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["EventFrame"];
                };
            };
            /** @description Server-sent events; their data are JSON */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "text/event-stream": components["schemas"]["EventFrame"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `cross_origin` */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `no_stream_asked` */
            readonly 406: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too_many_sockets` */
            readonly 429: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly list_orders: {
        readonly parameters: {
            readonly query?: {
                /** @description `next_cursor` of the page before; the newest orders without it. */
                readonly cursor?: string;
                /** @description The orders on the page. */
                readonly limit?: bigint;
            };
            readonly header?: {
                /** @description The ETag of what is already known */
                readonly "If-None-Match"?: string | null;
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page */
            readonly 200: {
                headers: {
                    /** @description Which orders are on it, at which versions, and whether it is the last */
                    readonly ETag?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OrderPage"];
                };
            };
            /** @description The page is still what If-None-Match names */
            readonly 304: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `limit_out_of_range`, `cursor_invalid`, `invalid_query` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly place_order: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description 1 to 128 visible ASCII characters; the same key with the same body has its effect once, for 24 hours */
                readonly "Idempotency-Key": string;
            };
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["PlaceOrder"];
            };
        };
        readonly responses: {
            /** @description Placed, now or by the same request before */
            readonly 201: {
                headers: {
                    /** @description Its version */
                    readonly ETag?: string;
                    /** @description The order's address */
                    readonly Location?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Order"];
                };
            };
            /** @description `malformed_json`, `idempotency_key_missing`, `idempotency_key_invalid` */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid_body`, `amount_not_positive`, `amount_too_large`, `description_empty`, `description_too_long`, `description_invalid`, `idempotency_key_reused` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`, or `overloaded`: too much is under way and nothing was done */
            readonly 503: {
                headers: {
                    /** @description Seconds after which trying again may be worth it */
                    readonly "Retry-After"?: bigint;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly read_order: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: {
                /** @description The ETag of what is already known */
                readonly "If-None-Match"?: string | null;
            };
            readonly path: {
                /** @description The order's id */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The order */
            readonly 200: {
                headers: {
                    /** @description Its version */
                    readonly ETag?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OrderDetails"];
                };
            };
            /** @description It is still at the version that If-None-Match names */
            readonly 304: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `order_not_found`: none, or not the asker's */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly cancel_order: {
        readonly parameters: {
            readonly query?: never;
            readonly header: {
                /** @description 1 to 128 visible ASCII characters; the same key for the same order has its effect once, for 24 hours */
                readonly "Idempotency-Key": string;
                /** @description The ETag of the order as the asker knows it */
                readonly "If-Match": string;
            };
            readonly path: {
                /** @description The order's id */
                readonly id: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Given up, now or by the same request before; the order is REFUNDING */
            readonly 202: {
                headers: {
                    /** @description Its version */
                    readonly ETag?: string;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Order"];
                };
            };
            /** @description `idempotency_key_missing`, `idempotency_key_invalid` */
            readonly 400: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `order_not_found`: none, or not the asker's */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `order_undecided`: it is NEW; `order_refunding`: it was given up under another key; `order_cancelled`: it is over */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `version_mismatch`: it is at another version than If-Match names */
            readonly 412: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `idempotency_key_reused` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `if_match_missing` */
            readonly 428: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`, or `overloaded`: too much is under way and nothing was done */
            readonly 503: {
                headers: {
                    /** @description Seconds after which trying again may be worth it */
                    readonly "Retry-After"?: bigint;
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly read_session: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Signed in */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Session"];
                };
            };
            /** @description Not signed in */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly sign_in: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["SignIn"];
            };
        };
        readonly responses: {
            /** @description Signed in */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Session"];
                };
            };
            /** @description `operator_token_invalid` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description No user id */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly sign_out: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Signed out */
            readonly 204: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    readonly order_list_dead_letters: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next_cursor` of the page before. */
                readonly cursor?: bigint;
                /** @description Only these, with commas between them. */
                readonly ids?: string;
                /** @description How many at most: 1 to 500, 50 if left out. */
                readonly limit?: bigint;
                /** @description At least this many seconds in dead letters. */
                readonly min_age_seconds?: number;
                /** @description Only those of this queue. */
                readonly queue?: string;
                /** @description Only those for this reason. */
                readonly reason?: string;
                /** @description Only events of this type. */
                readonly type?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page of dead letters */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["DeadLetterPage"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `queue_unknown`, `reason_unknown`, `ids_out_of_range`, `limit_out_of_range`, `invalid_query` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly order_show_dead_letter: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description Its number in this service */
                readonly id: bigint;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The dead letter */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["WholeDeadLetter"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `dead_letter_not_found` */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly order_orders_in_dead_letters: {
        readonly parameters: {
            readonly query: {
                /** @description Orders' ids, at most 50 with commas between them. */
                readonly orders: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Those found */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OrdersInDeadLetters"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `ids_out_of_range`, `invalid_query` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly order_cancel_redrive_of_dead_letters: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CancelRedriveRequest"];
            };
        };
        readonly responses: {
            /** @description Taken back */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CancelRedriveAnswer"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `queue_unknown`, `reason_unknown`, `ids_out_of_range`, `redrive_reason_invalid`, `invalid_body` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly order_discard_dead_letters: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["DiscardRequest"];
            };
        };
        readonly responses: {
            /** @description Discarded */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["DiscardAnswer"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `discard_refused`: some of them must be settled */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `ids_out_of_range`, `discard_reason_invalid`, `invalid_body` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly order_redrive_dead_letters: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["RedriveRequest"];
            };
        };
        readonly responses: {
            /** @description Marked, or what would be */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["RedriveAnswer"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `queue_unknown`, `reason_unknown`, `ids_out_of_range`, `limit_out_of_range`, `rate_out_of_range`, `redrive_reason_invalid`,
             *                 `request_id_taken`: another request came under this id, `invalid_body`
             */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly order_find_order: {
        readonly parameters: {
            readonly query?: {
                /** @description An event's id. */
                readonly event?: string;
                /** @description A trace's id: 32 hexadecimal digits. */
                readonly trace?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The order, or none */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Found"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid_query` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly order_read_health: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description How the service is */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ServiceHealth"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: its database is away */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly order_list_operations: {
        readonly parameters: {
            readonly query?: {
                /** @description Only those that did this. */
                readonly action?: string;
                /** @description The `next_cursor` of the page before. */
                readonly cursor?: bigint;
                /** @description How many at most: 1 to 500, 50 if left out. */
                readonly limit?: bigint;
                /** @description Only that of this request. */
                readonly request_id?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page of operations */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OperationPage"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `limit_out_of_range`, `invalid_query` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly order_trace_order: {
        readonly parameters: {
            readonly query?: {
                /** @description Events of the other service, at most 50 with commas between them: their receipts here become hops, too. */
                readonly events?: string;
            };
            readonly header?: never;
            readonly path: {
                /** @description The order's id or number */
                readonly order: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The order's hops */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OrderTrace"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `order_not_found` */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `events_invalid`, `invalid_query` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly order_read_outbox: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The outbox */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OutboxStatus"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly order_list_stuck: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next_cursor` of the page before. */
                readonly cursor?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page of stuck orders */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["StuckPage"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid_query` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly payment_list_dead_letters: {
        readonly parameters: {
            readonly query?: {
                /** @description The `next_cursor` of the page before. */
                readonly cursor?: bigint;
                /** @description Only these, with commas between them. */
                readonly ids?: string;
                /** @description How many at most: 1 to 500, 50 if left out. */
                readonly limit?: bigint;
                /** @description At least this many seconds in dead letters. */
                readonly min_age_seconds?: number;
                /** @description Only those of this queue. */
                readonly queue?: string;
                /** @description Only those for this reason. */
                readonly reason?: string;
                /** @description Only events of this type. */
                readonly type?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page of dead letters */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["DeadLetterPage"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `queue_unknown`, `reason_unknown`, `ids_out_of_range`, `limit_out_of_range`, `invalid_query` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly payment_show_dead_letter: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description Its number in this service */
                readonly id: bigint;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The dead letter */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["WholeDeadLetter"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `dead_letter_not_found` */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly payment_orders_in_dead_letters: {
        readonly parameters: {
            readonly query: {
                /** @description Orders' ids, at most 50 with commas between them. */
                readonly orders: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description Those found */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OrdersInDeadLetters"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `ids_out_of_range`, `invalid_query` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly payment_cancel_redrive_of_dead_letters: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["CancelRedriveRequest"];
            };
        };
        readonly responses: {
            /** @description Taken back */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["CancelRedriveAnswer"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `queue_unknown`, `reason_unknown`, `ids_out_of_range`, `redrive_reason_invalid`, `invalid_body` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly payment_discard_dead_letters: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["DiscardRequest"];
            };
        };
        readonly responses: {
            /** @description Discarded */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["DiscardAnswer"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `discard_refused`: some of them must be settled */
            readonly 409: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `ids_out_of_range`, `discard_reason_invalid`, `invalid_body` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly payment_redrive_dead_letters: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody: {
            readonly content: {
                readonly "application/json": components["schemas"]["RedriveRequest"];
            };
        };
        readonly responses: {
            /** @description Marked, or what would be */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["RedriveAnswer"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /**
             * @description `queue_unknown`, `reason_unknown`, `ids_out_of_range`, `limit_out_of_range`, `rate_out_of_range`, `redrive_reason_invalid`,
             *                 `request_id_taken`: another request came under this id, `invalid_body`
             */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly payment_find_order: {
        readonly parameters: {
            readonly query?: {
                /** @description An event's id. */
                readonly event?: string;
                /** @description A trace's id: 32 hexadecimal digits. */
                readonly trace?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The order, or none */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["Found"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `invalid_query` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly payment_read_health: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description How the service is */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["ServiceHealth"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable`: its database is away */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly payment_read_ledger: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description What it found */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["LedgerCheck"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly payment_list_operations: {
        readonly parameters: {
            readonly query?: {
                /** @description Only those that did this. */
                readonly action?: string;
                /** @description The `next_cursor` of the page before. */
                readonly cursor?: bigint;
                /** @description How many at most: 1 to 500, 50 if left out. */
                readonly limit?: bigint;
                /** @description Only that of this request. */
                readonly request_id?: string;
            };
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A page of operations */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OperationPage"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `limit_out_of_range`, `invalid_query` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly payment_trace_order: {
        readonly parameters: {
            readonly query?: {
                /** @description Events of the other service, at most 50 with commas between them: their receipts here become hops, too. */
                readonly events?: string;
            };
            readonly header?: never;
            readonly path: {
                /** @description The order's id or number */
                readonly order: string;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The order's hops */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OrderTrace"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `order_not_found` */
            readonly 404: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `events_invalid`, `invalid_query` */
            readonly 422: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly payment_read_outbox: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description The outbox */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OutboxStatus"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `unavailable` */
            readonly 503: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly read_web_health: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path?: never;
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description How the replica is */
            readonly 200: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["WebHealth"];
                };
            };
            /** @description `unauthenticated` */
            readonly 401: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `forbidden`: not an operator */
            readonly 403: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    readonly original_events_short: {
        readonly parameters: {
            readonly query?: never;
            readonly header?: never;
            readonly path: {
                /** @description Whose orders */
                readonly user_id: bigint;
            };
            readonly cookie?: never;
        };
        readonly requestBody?: never;
        readonly responses: {
            /** @description A WebSocket; its text frames are JSON */
            readonly 101: {
                headers: {
                    readonly [name: string]: unknown;
                };
                content: {
                    readonly "application/json": components["schemas"]["OriginalDecision"];
                };
            };
        };
    };
}
