//! Messages of every shape: what cannot be read is told apart from what can, and nothing panics.

use contracts::CloudEvent;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

const CONTENT_TYPE: &str = BATCH_CONTENT_TYPE;

fn many(events: usize) -> Vec<u8> {
    format!("[{}0]", "0,".repeat(events - 1)).into_bytes()
}

fn class_of(body: &[u8], content_type: &str) -> Option<ReasonClass> {
    elements(body, content_type)
        .err()
        .map(|rejection| rejection.class)
}

#[test]
fn what_is_no_batch_is_refused_with_its_reason() {
    let brackets = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let oversized = vec![b' '; MAX_MESSAGE_BYTES + 1];
    for (body, class) in [
        (&b""[..], ReasonClass::Malformed),
        (b"\xff\xfe", ReasonClass::Malformed),
        (b"{", ReasonClass::Malformed),
        (b"{}", ReasonClass::Malformed),
        (b"[]", ReasonClass::Malformed),
        (b"null", ReasonClass::Malformed),
        (&oversized, ReasonClass::TooLarge),
        (&many(MAX_MESSAGE_EVENTS + 1), ReasonClass::TooLarge),
    ] {
        assert_eq!(
            class_of(body, CONTENT_TYPE),
            Some(class),
            "{:?}",
            String::from_utf8_lossy(body).get(..20)
        );
    }
    assert_eq!(class_of(&many(MAX_MESSAGE_EVENTS), CONTENT_TYPE), None);
    assert_eq!(
        class_of(b"[{}]", "application/json"),
        Some(ReasonClass::ContentType)
    );
    assert_eq!(
        class_of(b"[{}]", "Application/CloudEvents-batch+json; charset=utf-8"),
        None
    );
    assert!(elements(brackets.as_bytes(), CONTENT_TYPE).is_ok_and(|elements| elements.len() == 1));
}

fn raw(json: &str) -> &RawValue {
    serde_json::from_str(json).unwrap()
}

#[test]
fn an_event_id_is_a_recent_uuid_of_version_7() {
    let now = OffsetDateTime::now_utc();
    let horizon = now - time::Duration::days(2);
    let instants = Instants { horizon, now };
    let at = |instant: OffsetDateTime| {
        let seconds = u64::try_from(instant.unix_timestamp()).unwrap();
        let context = uuid::NoContext;
        let id = Uuid::new_v7(uuid::Timestamp::from_unix(context, seconds, 0));
        format!("\"{id}\"")
    };
    let soon = time::Duration::seconds(1);
    for good in [at(now), at(horizon + soon)] {
        assert!(event_id(Some(raw(&good)), instants).is_ok(), "{good}");
    }
    let old = at(horizon - soon);
    assert!(event_id(Some(raw(&old)), Instants::of_any_age(now)).is_ok());
    let far = at(now + inbox::CLOCK_SKEW + 2 * soon);
    let another = format!("\"{}\"", Uuid::new_v4());
    for bad in [
        None,
        Some("7"),
        Some("\"seven\""),
        Some(&*another),
        Some(&*old),
        Some(&*far),
    ] {
        let refused = event_id(bad.map(raw), instants).unwrap_err();
        assert_eq!(refused.class, ReasonClass::EventId, "{bad:?}");
    }
}

#[test]
fn nested_brackets_are_no_event() {
    let deep = format!("{}{}", "[".repeat(10_000), "]".repeat(10_000));
    let now = OffsetDateTime::now_utc();
    let unreadable = read(&deep, Instants { horizon: now, now }).unwrap_err();
    assert_eq!(unreadable.rejection.class, ReasonClass::Malformed);
}

#[test]
fn the_form_of_an_event_is_our_own_envelope() {
    let placed = contracts::PaymentCaptured {
        order_id: contracts::OrderId::new(),
        received_at: Some(OffsetDateTime::UNIX_EPOCH),
        decided_at: OffsetDateTime::UNIX_EPOCH,
    };
    let trace = TraceContext::root();
    let now = OffsetDateTime::now_utc();
    let json = serde_json::to_string(&CloudEvent::new(&placed, &trace, now)).unwrap();
    let Readable { event, body } = read_one(json.as_bytes(), Instants::of_any_age(now)).unwrap();
    assert_eq!(
        event.decode::<contracts::PaymentCaptured>().unwrap(),
        placed
    );
    assert_eq!(event.trace, trace);
    assert_eq!(body, json.as_bytes());
}

/// An event of ours in JSON.
fn good() -> Value {
    let captured = contracts::PaymentCaptured {
        order_id: contracts::OrderId::new(),
        received_at: Some(OffsetDateTime::UNIX_EPOCH),
        decided_at: OffsetDateTime::UNIX_EPOCH,
    };
    let event = CloudEvent::new(&captured, &TraceContext::root(), OffsetDateTime::now_utc());
    serde_json::to_value(event).unwrap()
}

fn any_age() -> Instants {
    Instants::of_any_age(OffsetDateTime::now_utc())
}

/// Any JSON, up to a few levels deep.
fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 20, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            proptest::collection::hash_map(any::<String>(), inner, 0..5).prop_map(Value::from_iter),
        ]
    })
}

const ATTRIBUTES: [&str; 7] = [
    "specversion",
    "id",
    "type",
    "subject",
    "traceparent",
    "data",
    "source",
];

proptest! {
    #[test]
    fn no_bytes_make_reading_panic(body in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        if let Ok(opened) = open(&body, CONTENT_TYPE, any_age()) {
            opened.for_each(drop);
        }
        drop(read_one(&body, any_age()));
    }

    #[test]
    fn no_text_in_the_place_of_events_makes_reading_panic(text in "[\\[\\]{},:\"a1 ]{0,200}") {
        let body = format!("[{text}]");
        if let Ok(opened) = open(body.as_bytes(), CONTENT_TYPE, any_age()) {
            for unreadable in opened.filter_map(Result::err) {
                prop_assert!(!unreadable.rejection.reason.is_empty());
            }
        }
    }

    #[test]
    fn one_bad_event_spares_the_others(
        count in 1_usize..50,
        place in any::<prop::sample::Index>(),
        attribute in prop::sample::select(&ATTRIBUTES[..]),
        value in any_json(),
    ) {
        let mut events: Vec<Value> = (0..count).map(|_| good()).collect();
        let place = place.index(count);
        events[place][attribute] = value;
        let body = serde_json::to_vec(&events).unwrap();
        let opened: Vec<_> = open(&body, CONTENT_TYPE, any_age()).unwrap().collect();
        prop_assert_eq!(opened.len(), count);
        for (at, event) in opened.iter().enumerate() {
            prop_assert!(event.is_ok() || at == place);
            let bytes = match event {
                Ok(readable) => readable.body,
                Err(unreadable) => unreadable.body,
            };
            prop_assert_eq!(bytes, serde_json::to_vec(&events[at]).unwrap());
        }
    }

    #[test]
    fn an_id_is_taken_exactly_within_its_instants(
        id in any::<u128>(),
        millis in prop_oneof![0..=(1_u64 << 48) - 1, Just(0), Just((1 << 48) - 1)],
        now in 0_i64..4_000_000_000,
        days_kept in 0_i64..30,
    ) {
        let now = OffsetDateTime::from_unix_timestamp(now).unwrap();
        let horizon = now - time::Duration::days(days_kept);
        let id = (id & !(0xffff_ffff_ffff << 80) & !(0xf << 76) & !(0x3 << 62))
            | (u128::from(millis) << 80) | (7 << 76) | (2 << 62);
        let text = format!("\"{}\"", Uuid::from_u128(id));
        let at = i64::try_from(millis / 1_000).unwrap();
        let expected = at >= horizon.unix_timestamp()
            && at <= (now + inbox::CLOCK_SKEW).unix_timestamp();
        let taken = event_id(Some(raw(&text)), Instants { horizon, now });
        prop_assert_eq!(taken.is_ok(), expected);
    }
}
