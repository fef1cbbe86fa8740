//! Plays the load curves against the decisions, and prints how age and relays go.

use operator::simulator::{CURVES, LIMITS, play, table};

fn main() {
    for curve in &CURVES {
        println!("{}", table(curve, &play(curve, &LIMITS)));
    }
}
