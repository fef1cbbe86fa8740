//! Every limit of the order service: what a request may hold, what a read may return, how long a wait may last.

use std::{ops::RangeInclusive, time::Duration};

/// The longest description of an order, in characters.
pub const DESCRIPTION_MAX_CHARS: usize = 500;

/// The largest price of an order, in minor units: a billion roubles.
pub const AMOUNT_MAX_MINOR: i64 = 100_000_000_000;

/// The most orders placed in one transaction.
pub const INTAKE_BATCH_ORDERS: usize = 500;

/// How long intake waits for the database: beyond all of the server's own limits, so that only where the network is silent
/// nobody knows whether orders were placed. Everybody who waits is told to try again.
pub const INTAKE_TIMEOUT: Duration = Duration::from_secs(15);

/// The time between the beginnings of two transactions of intake while orders come together, so that one commit, and one
/// batch on every further hop, serves many orders. Measured at 40 % of what saturates two cores: half of it costs a quarter
/// more processor time per order, twice as much makes an order's end half as late again.
pub const INTAKE_PACE: Duration = Duration::from_millis(20);

/// The orders on a page of the list when the request does not say.
pub const LIST_DEFAULT: i64 = 20;

/// The most orders on a page of the list.
pub const LIST_MAX: i64 = 100;

/// The longest cursor of the list that is looked at, in characters.
pub const LIST_CURSOR_MAX_CHARS: usize = 64;

/// The orders in the original's list of all orders.
pub const EVERYONES_ORDERS_MAX: i64 = 1_000;

/// The orders a socket's first frame holds when it does not resume.
pub const SNAPSHOT_ORDERS: i64 = 100;

/// The orders a user may have for a socket to resume; whoever has more gets the newest ones instead.
pub const RESUME_ORDERS_MAX: i64 = 1_000;

/// The longest cursor of the event stream, in characters.
pub const EVENTS_CURSOR_MAX_CHARS: usize = 4_096;

/// The orders in one `changes` frame.
pub const FRAME_ORDERS_MAX: usize = 100;

/// The sockets one user may hold open on one replica.
pub const SOCKETS_PER_USER: usize = 5;

/// The sockets one replica holds open.
pub const SOCKETS_PER_REPLICA: usize = 10_000;

/// The clients over server-sent events among them. Each keeps one of the connections that requests come over
/// ([`chassis::serve::CONNECTIONS_MAX`]); most of those are to be left to requests.
pub const SERVER_SENT_PER_REPLICA: usize = 1_000;

/// After how many milliseconds a client over server-sent events comes again when its stream has ended; each is told a time
/// of its own, so that those of a replica that stopped do not all come at once.
pub const EVENTS_RETRY_MILLIS: RangeInclusive<u64> = 500..=3_000;

/// The frames a socket may lag behind the tail before it is closed as too slow.
pub const SOCKET_BUFFER_FRAMES: usize = 256;

/// The largest message a client may send over a socket, in bytes. It has nothing to say but control frames.
pub const SOCKET_MESSAGE_MAX_BYTES: usize = 4 * 1024;

/// What a socket reads at once, in bytes. Each look at a socket clears this much memory and each open one holds it: with
/// the library's 128 KiB that was a tenth of the service's processor time under load, and over a gigabyte.
pub const SOCKET_READ_BUFFER_BYTES: usize = 1024;

/// How often a socket is pinged; a peer that is silent for a whole period after a ping is gone.
pub const PING_EVERY: Duration = Duration::from_secs(20);

/// How long an order that was just placed waits to be told together with its decision: the least, which leaves most of a
/// tenth of a second, within which every change is to be seen, to the tail and the way; and the most, where decisions take so
/// long that other tabs see it later than that.
pub const NEW_ORDER_HOLD: RangeInclusive<Duration> =
    Duration::from_millis(25)..=Duration::from_millis(400);

/// How often what sockets took is written down.
pub const PUSH_LOG_EVERY: Duration = Duration::from_millis(500);

/// The versions of orders that wait to be written down: twice what 10,000 orders a second are told of between two writes.
pub const PUSH_LOG_WAITING_MAX: usize = 20_000;

/// How long writing them down may take.
pub const PUSH_LOG_TIMEOUT: Duration = Duration::from_secs(5);

/// How long the push log is kept: as long as the publish log.
pub const PUSH_LOG_KEPT: Duration = Duration::from_hours(3 * 24);

/// How often a replica deletes what is older.
pub const PUSH_LOG_UPKEEP: Duration = Duration::from_mins(10);

/// How many rows it deletes at once: twice as many as it writes in [`PUSH_LOG_UPKEEP`].
pub const PUSH_LOG_FORGOTTEN_ROWS: i64 = 2_400;

/// How long one frame may take to be written.
pub const SOCKET_WRITE_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a close frame and its answer may take; after that the connection just ends.
pub const SOCKET_CLOSE_TIMEOUT: Duration = Duration::from_secs(3);

/// How long a socket waits for the tail to have found its place, after a start or an outage.
pub const TAIL_START_TIMEOUT: Duration = Duration::from_secs(5);

/// The status changes the tail reads at once; a larger difference is read in pages of this size.
pub const TAIL_PAGE_ROWS: i64 = 1_000;

/// The orders whose contents a replica keeps at hand for its sockets: those of some seconds under full load.
pub const RECENT_ORDERS: usize = 40_000;

/// How long the tail sleeps at most when no doorbell rings.
pub const TAIL_POLL: Duration = Duration::from_millis(500);

/// The tail begins a read at most once in this time, so that under load one read serves many commits.
pub const TAIL_PACE: Duration = Duration::from_millis(2);

/// How long one read of the tail may take.
pub const TAIL_READ_TIMEOUT: Duration = Duration::from_secs(10);

/// How long the tail waits before it tries again after the database failed it: the first time, and at most.
pub const TAIL_RETRY: (Duration, Duration) = (Duration::from_millis(100), Duration::from_secs(2));

/// How long an order may be NEW, or REFUNDING, before its request for payment, or refund, is repeated. What is
/// placed or cancelled is committed or not within half of this, also where one [`INTAKE_TIMEOUT`] comes behind another; the rest
/// is left for clocks that disagree: an order placed or cancelled by a replica whose clock is further behind would not be looked at.
pub const RECONCILE_AFTER: Duration = Duration::from_mins(2);

/// How often the request of one order is repeated at most; with [`RECONCILE_PAUSE`], over some three hours.
pub const RECONCILE_ATTEMPTS: u16 = 8;

/// The pause between two attempts at one order, doubled from the first to the longest.
pub const RECONCILE_PAUSE: (Duration, Duration) = (Duration::from_mins(1), Duration::from_hours(1));

/// The pause between two turns of the reconciler that found nothing more to do.
pub const RECONCILE_TURN: Duration = Duration::from_secs(1);

/// How long one turn may take, whatever the network does.
pub const RECONCILE_TURN_TIMEOUT: Duration = Duration::from_secs(30);

/// How long the reconciler's lease lasts without a turn: what a killed replica costs before another takes over.
pub const RECONCILE_LEASE: Duration = Duration::from_secs(5);

/// The orders walked past in one turn; a full page is followed by the next at once.
pub const RECONCILE_PAGE_ORDERS: i64 = 5_000;

/// The stuck orders looked at in one turn, and the most requests it repeats: at most so many a second.
pub const RECONCILE_PAGE_STUCK: i64 = 500;

/// The requests one replica has under way between their arrival and their commit. At 10,000 commits a second the last of
/// them waits 200 ms; beyond, a queue would only make everybody wait longer.
pub const UNCOMMITTED_MAX: usize = 2_000;

/// The undecided orders of the whole database, while the outbox moves: at 10,000 decisions a second the newest waits two
/// seconds. Replicas look before they commit, so it may be passed by what they have under way.
pub const UNDECIDED_MAX: i64 = 20_000;

/// The age of the oldest unpublished event. An outage of the broker shorter than this is invisible to customers; after a
/// longer one, what was accepted before takes about as long to be decided as the outage lasted.
pub const OUTBOX_AGE_MAX: Duration = Duration::from_mins(1);

/// How often the state of the outbox is read.
pub const LOAD_REFRESH: Duration = Duration::from_millis(100);

/// How long reading the state of the outbox may take.
pub const LOAD_READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The outbox stands still when for this long nothing was settled and nothing was decided: longer than a relay's pause
/// between two write-backs, and than what a killed relay costs before another takes its lanes.
pub const OUTBOX_STANDS_STILL: Duration = Duration::from_secs(5);

/// The orders beyond the reconciler's mark that are looked at when the undecided ones are counted: more than are placed
/// within [`RECONCILE_AFTER`] at 10,000 a second.
pub const UNDECIDED_COUNTED_MAX: i64 = 2_000_000;
