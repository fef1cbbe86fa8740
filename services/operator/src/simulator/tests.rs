//! The promises of scaling, kept on the curves; and the picture of them, which must not rot.

use super::*;

fn moments(word: &str) -> Vec<Moment> {
    let curve = CURVES.iter().find(|curve| curve.title.contains(word));
    play(curve.unwrap(), &LIMITS)
}

fn changes(moments: &[Moment]) -> usize {
    let pairs = moments.windows(2);
    pairs
        .filter(|pair| pair[0].replicas != pair[1].replicas)
        .count()
}

#[test]
fn the_picture_in_the_chart_is_what_the_simulator_draws() {
    let path = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../charts/gozon-operator/scaling.svg"
    );
    let committed = std::fs::read_to_string(path).unwrap();
    assert!(
        committed == picture(),
        "charts/gozon-operator/scaling.svg is not what the simulator draws"
    );
}

#[test]
fn after_a_step_the_age_is_soon_under_the_target_and_stays_there() {
    let moments = moments("step");
    let late = |moment: &&Moment| moment.age_seconds > 5;
    let last_late = moments.iter().rfind(late).unwrap().second;
    assert!(last_late < 60 + 90, "still late in second {last_late}");
}

#[test]
fn after_a_step_the_number_of_relays_comes_to_rest() {
    let moments = moments("step");
    let last = &moments[moments.len() - 60..];
    assert_eq!(changes(last), 0, "{last:?}");
    assert!((5..=7).contains(&last[0].replicas), "{:?}", last[0]);
}

#[test]
fn after_a_spike_and_a_ramp_the_fewest_are_left() {
    for word in ["spike", "ramp"] {
        assert_eq!(moments(word).last().unwrap().replicas, LIMITS.min, "{word}");
    }
}

#[test]
fn relays_go_one_by_one() {
    for curve in &CURVES {
        for pair in play(curve, &LIMITS).windows(2) {
            assert!(
                pair[1].replicas + 1 >= pair[0].replicas,
                "{}: {pair:?}",
                curve.title
            );
        }
    }
}

#[test]
fn an_outage_of_the_broker_adds_no_relay_and_takes_none_away() {
    let moments = moments("outage");
    let during = moments
        .iter()
        .filter(|moment| (240..360).contains(&moment.second));
    let during: Vec<_> = during.copied().collect();
    assert!(during.last().unwrap().age_seconds > 60);
    assert_eq!(changes(&during), 0);
    let last = moments.last().unwrap();
    assert!(last.age_seconds <= 5, "{last:?}");
}

#[test]
fn a_broker_that_takes_no_more_gets_no_more_relays_than_a_try_now_and_then() {
    let moments = moments("slow broker");
    let at = |second| {
        moments
            .iter()
            .find(|moment| moment.second == second)
            .unwrap()
    };
    assert!(at(120).replicas <= 8, "{:?}", at(120));
    assert!(at(475).replicas <= 10, "{:?}", at(475));
    assert!(moments.iter().any(|moment| moment.reason == Reason::NoGain));
}
